// Pictures of what is seen: bars with their names and numbers, drawn again on a canvas.
import { downloadPng } from './csv';
import { color } from './theme';

export interface PictureBar {
  name: string;
  share: number; // of the longest, 0 to 1
  from?: number; // where it begins, 0 to 1
  numbers: string[];
  tone?: string; // a colour of the theme
}
export interface Picture {
  title: string;
  note: string; // period, filters, as of
  columns: string[];
  bars: PictureBar[];
}

const scale = 2;
const width = 720;
const row = 28;
const head = 74;
const edge = 20;
const column = 92;

// Texts of events are cut, not squeezed.
function fitted(to: CanvasRenderingContext2D, text: string, room: number): string {
  if (to.measureText(text).width <= room) return text;
  const letters = [...text];
  while (letters.length > 1 && to.measureText(`${letters.join('')}…`).width > room) letters.pop();
  return `${letters.join('')}…`;
}

export function downloadBars(name: string, picture: Picture): void {
  const canvas = document.createElement('canvas');
  canvas.width = width * scale;
  canvas.height = (head + picture.bars.length * row + edge) * scale;
  const to = canvas.getContext('2d');
  if (!to) return;
  const font = getComputedStyle(document.body).fontFamily;
  const write = (text: string, x: number, y: number, tone: string, size = 13, weight = 400, align: CanvasTextAlign = 'left') => {
    to.font = `${weight} ${size}px ${font}`;
    to.fillStyle = color(tone);
    to.textAlign = align;
    to.fillText(text, x, y);
  };
  to.scale(scale, scale);
  to.textBaseline = 'middle';
  const barEnd = width - edge - picture.columns.length * column;
  write(picture.title, edge, 26, 'text', 15, 600);
  write(fitted(to, picture.note, width - 2 * edge), edge, 46, 'soft', 11);
  picture.columns.forEach((title, i) => write(title, barEnd + (i + 1) * column, 62, 'soft', 11, 400, 'right'));
  picture.bars.forEach((bar, i) => {
    const y = head + i * row;
    const room = barEnd - edge;
    to.fillStyle = color(bar.tone ?? 'bar');
    to.fillRect(edge + room * (bar.from ?? 0), y + 2, Math.max(2, room * bar.share), row - 5);
    to.font = `500 13px ${font}`;
    const bold = bar.tone === undefined;
    write(fitted(to, bar.name, room - 10), edge + 8, y + row / 2, 'text', 13, bold ? 500 : 600);
    bar.numbers.forEach((text, n) => write(text, barEnd + (n + 1) * column, y + row / 2, 'text', 13, 400, 'right'));
  });
  downloadPng(name, [canvas], color('panel'));
}
