// Two lines of the last half hour, drawn as SVG: no chart library is needed for the first load.
import { rate, time, zone } from './format';
import type { Slot } from './live';
import { downloadLayers } from './picture';
import { color } from './theme';

const slotMs = 10_000;
const span = 1_800_000;
const shortest = 300_000; // soon after a start the line is not squeezed into a corner
const width = 600;
const height = 100;

type Point = [x: number, y: number];
interface Lines {
  begin: number;
  end: number;
  impressionsMost: number; // a second
  clicksMost: number;
  impressions: Point[];
  clicks: Point[];
}

function linesOf(slots: Slot[]): Lines | null {
  const last = slots[slots.length - 1];
  if (!last || slots.length < 2) return null;
  const end = last[0] + slotMs;
  const first = slots.find((slot) => slot[0] >= end - span) ?? last;
  const begin = Math.min(first[0], end - shortest);
  const shown = slots.filter((slot) => slot[0] >= begin);
  const most = (index: 1 | 2) => Math.max(...shown.map((slot) => slot[index])) / (slotMs / 1000);
  // Each line has a scale of its own; clicks stay in the lower half, so that both can be read.
  const line = (index: 1 | 2, top: number): Point[] => shown.map((slot) => [
    ((slot[0] + slotMs / 2 - begin) / (end - begin)) * width,
    height - (slot[index] / (slotMs / 1000) / (top || 1)) * (height - 6) - 1,
  ]);
  const [impressionsMost, clicksMost] = [most(1), most(2)];
  return { begin, end, impressionsMost, clicksMost,
    impressions: line(1, impressionsMost), clicks: line(2, clicksMost * 2.2) };
}

const path = (all: Point[]) =>
  all.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
const area = (all: Point[]) =>
  `${path(all)}L${(all[all.length - 1]?.[0] ?? 0).toFixed(1)} ${height}L${(all[0]?.[0] ?? 0).toFixed(1)} ${height}Z`;

export function Spark({ slots }: { slots: Slot[] }) {
  const lines = linesOf(slots);
  if (!lines)
    return <p class="spark-empty muted">The line begins about twenty seconds after the engine started.</p>;
  const { begin, end } = lines;
  return (
    <figure class="spark">
      <div class="spark-box">
        <span class="spark-top t-impression">{rate(lines.impressionsMost)} / s</span>
        <span class="spark-top t-click">{rate(lines.clicksMost)} / s</span>
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img"
          aria-label={`From ${time(begin, 'minute')} to ${time(end, 'minute')}: at most ${rate(lines.impressionsMost)} impressions and ${rate(lines.clicksMost)} clicks a second`}>
          <path class="grid" d={`M0 5H${width}M0 ${height / 2 + 2.5}H${width}`} />
          <path class="area t-impression" d={area(lines.impressions)} />
          <path class="line t-impression" d={path(lines.impressions)} />
          <path class="line t-click" d={path(lines.clicks)} />
        </svg>
      </div>
      <figcaption>
        {[0, 1 / 3, 2 / 3, 1].map((at) => <span key={at}>{time(begin + (end - begin) * at, 'minute')}</span>)}
      </figcaption>
    </figure>
  );
}

export function downloadSpark(slots: Slot[]): void {
  const lines = linesOf(slots);
  const canvas = document.createElement('canvas');
  const to = canvas.getContext('2d');
  if (!lines || !to) return;
  canvas.width = (width + 40) * 2;
  canvas.height = (height + 20) * 2;
  to.scale(2, 2);
  to.translate(20, 8);
  to.lineWidth = 1.8;
  for (const [points, tone] of [[lines.impressions, 'impression'], [lines.clicks, 'click']] as const) {
    to.strokeStyle = color(tone);
    to.stroke(new Path2D(path(points)));
  }
  downloadLayers('adbrook-last-30-minutes.png', [canvas],
    { title: 'The last 30 minutes', note: `${time(lines.begin)} – ${time(lines.end)}, ${zone.value}` },
    [[`impressions, at most ${rate(lines.impressionsMost)} / s`, 'impression'], [`clicks, at most ${rate(lines.clicksMost)} / s`, 'click']]);
}
