// Pictures of what is seen: bars with their names and numbers, tables, and canvases that are there
// already, each with a title and a note of what it is about.
import { download } from './csv';
import { count, time } from './format';
import { color } from './theme';

// The note says period, filters, as of.
export interface Caption { title: string; note: string }

export interface PictureBar {
  name: string;
  share: number; // of the longest, 0 to 1
  from?: number; // where it begins, 0 to 1
  numbers: string[];
  tone?: string; // a colour of the theme
}
export interface Picture extends Caption {
  columns: string[];
  bars: PictureBar[];
}

const scale = 2;
const width = 720;
const row = 28;
const head = 74;
const edge = 20;
const column = 92;
const captionHeight = 62;
const gap = 22; // between two columns of a table
const tableWidthMax = 1240;
const tableRowsMax = 200;

// Texts of events are cut, not squeezed.
function fitted(to: CanvasRenderingContext2D, text: string, room: number): string {
  if (to.measureText(text).width <= room) return text;
  const letters = [...text];
  while (letters.length > 1 && to.measureText(`${letters.join('')}…`).width > room) letters.pop();
  return `${letters.join('')}…`;
}

type Write = (text: string, x: number, y: number, tone: string, size?: number, weight?: number, align?: CanvasTextAlign) => void;

interface Sheet { canvas: HTMLCanvasElement; to: CanvasRenderingContext2D; write: Write }

// An empty picture with its caption, in pixels of the page.
function sheetOf(caption: Caption, wide: number, high: number, at = scale): Sheet | null {
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(wide * at);
  canvas.height = Math.round(high * at);
  const to = canvas.getContext('2d');
  if (!to) return null;
  const font = getComputedStyle(document.body).fontFamily;
  to.fillStyle = color('panel');
  to.fillRect(0, 0, canvas.width, canvas.height);
  to.scale(at, at);
  to.textBaseline = 'middle';
  const write: Write = (text, x, y, tone, size = 13, weight = 400, align = 'left') => {
    to.font = `${weight} ${size}px ${font}`;
    to.fillStyle = color(tone);
    to.textAlign = align;
    to.fillText(text, x, y);
  };
  write(caption.title, edge, 26, 'text', 15, 600);
  to.font = `400 11px ${font}`;
  write(fitted(to, caption.note, wide - 2 * edge), edge, 46, 'soft', 11);
  return { canvas, to, write };
}

function save(name: string, canvas: HTMLCanvasElement): void {
  canvas.toBlob((blob) => blob && download(name, blob), 'image/png');
}

export function downloadBars(name: string, picture: Picture): void {
  const sheet = sheetOf(picture, width, head + picture.bars.length * row + edge);
  if (!sheet) return;
  const { to, write } = sheet;
  const barEnd = width - edge - picture.columns.length * column;
  picture.columns.forEach((title, i) => write(title, barEnd + (i + 1) * column, 62, 'soft', 11, 400, 'right'));
  picture.bars.forEach((bar, i) => {
    const y = head + i * row;
    const room = barEnd - edge;
    to.fillStyle = color(bar.tone ?? 'bar');
    to.fillRect(edge + room * (bar.from ?? 0), y + 2, Math.max(2, room * bar.share), row - 5);
    to.font = `500 13px ${getComputedStyle(document.body).fontFamily}`;
    write(fitted(to, bar.name, room - 10), edge + 8, y + row / 2, 'text', 13, bar.tone === undefined ? 500 : 600);
    bar.numbers.forEach((text, n) => write(text, barEnd + (n + 1) * column, y + row / 2, 'text', 13, 400, 'right'));
  });
  save(name, sheet.canvas);
}

// Canvases of one size, one above the other; `keys` are the words that explain their colours.
export function downloadLayers(name: string, layers: HTMLCanvasElement[], caption: Caption, keys: [word: string, tone: string][] = []): void {
  const [first] = layers;
  if (!first) return;
  // One that is not on the page was drawn at the scale of pictures.
  const ratio = first.clientWidth > 0 ? first.width / first.clientWidth : scale;
  const high = first.height / ratio;
  const sheet = sheetOf(caption, first.width / ratio, captionHeight + high + (keys.length ? row : 0), ratio);
  if (!sheet) return;
  for (const layer of layers) sheet.to.drawImage(layer, 0, captionHeight, first.width / ratio, high);
  let x = edge;
  for (const [word, tone] of keys) {
    sheet.to.fillStyle = color(tone);
    sheet.to.fillRect(x, captionHeight + high + 6, 10, 10);
    sheet.write(word, x + 15, captionHeight + high + 11, 'soft', 11);
    x += 15 + sheet.to.measureText(word).width + 18;
  }
  save(name, sheet.canvas);
}

function shownCell(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
  const text = value == null ? '' : String(value).replace(/\s+/g, ' ');
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? time(text) : text;
}

// Columns as wide as their texts; where that is too much the widest give way.
function widthsOf(to: CanvasRenderingContext2D, texts: string[][]): number[] {
  const widths = (texts[0] ?? []).map((_, i) => Math.ceil(Math.max(...texts.map((line) => to.measureText((line[i] ?? '').slice(0, 200)).width))));
  const room = tableWidthMax - 2 * edge - gap * (widths.length - 1);
  for (let left = widths.reduce((a, b) => a + b, 0) - room; left > 0;) {
    const widest = widths.indexOf(Math.max(...widths));
    const cut = Math.min(left, Math.max(8, (widths[widest] ?? 0) * 0.1));
    widths[widest] = (widths[widest] ?? 0) - cut;
    left -= cut;
  }
  return widths;
}

export function downloadTable(name: string, caption: Caption, columns: string[], rows: unknown[][]): void {
  const font = `400 12px ${getComputedStyle(document.body).fontFamily}`;
  const measure = document.createElement('canvas').getContext('2d');
  if (!measure) return;
  measure.font = font;
  const texts = rows.slice(0, tableRowsMax).map((line) => line.map(shownCell));
  const widths = widthsOf(measure, [columns, ...texts]);
  const right = columns.map((_, i) => rows.length > 0 && rows.every((line) => typeof line[i] === 'number' || line[i] == null));
  const wide = Math.max(360, 2 * edge + gap * (widths.length - 1) + widths.reduce((a, b) => a + b, 0));
  const more = rows.length - texts.length;
  const sheet = sheetOf(more > 0 ? { ...caption, note: `${caption.note} · the first ${count(texts.length)} of ${count(rows.length)}` } : caption,
    wide, head + texts.length * row + edge);
  if (!sheet) return;
  const { to, write } = sheet;
  const line = (cells: string[], y: number, tone: string) => {
    let x = edge;
    cells.forEach((cell, i) => {
      const room = widths[i] ?? 0;
      to.font = font;
      write(fitted(to, cell, room), right[i] ? x + room : x, y, tone, 12, 400, right[i] ? 'right' : 'left');
      x += room + gap;
    });
  };
  line(columns, 62, 'soft');
  to.fillStyle = color('line');
  for (let i = 0; i <= texts.length; ++i) to.fillRect(edge, head + i * row, wide - 2 * edge, 1);
  texts.forEach((cells, i) => line(cells, head + i * row + row / 2, 'text'));
  save(name, sheet.canvas);
}
