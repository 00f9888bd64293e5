// Two lines of the last half hour, drawn as SVG: no chart library is needed for the first load.
import { time } from './format';
import type { Slot } from './live';

const slotMs = 10_000;
const width = 600;
const height = 90;

function points(slots: Slot[], index: 1 | 2, begin: number, end: number, top: number): [number, number][] {
  return slots.map((slot) => [
    ((slot[0] + slotMs / 2 - begin) / (end - begin)) * width,
    height - (slot[index] / (slotMs / 1000) / top) * (height - 6) - 1,
  ]);
}
const path = (all: [number, number][]) =>
  all.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

export function Spark({ slots }: { slots: Slot[] }) {
  const last = slots[slots.length - 1];
  if (!last || slots.length < 2)
    return <p class="spark-empty muted">The line begins about twenty seconds after the engine started.</p>;
  const end = last[0] + slotMs;
  const begin = end - 1_800_000;
  const shown = slots.filter((slot) => slot[0] >= begin);
  const most = (index: 1 | 2) => Math.max(...shown.map((slot) => slot[index])) / (slotMs / 1000) || 1;
  const impressions = points(shown, 1, begin, end, most(1));
  const clicks = points(shown, 2, begin, end, most(2) * 2.2);
  const first = impressions[0]?.[0] ?? 0;
  const lastX = impressions[impressions.length - 1]?.[0] ?? width;
  return (
    <figure class="spark">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img"
        aria-label={`Impressions and clicks from ${time(begin, 'minute')} to ${time(end, 'minute')}`}>
        <path class="area t-impression" d={`${path(impressions)}L${lastX.toFixed(1)} ${height}L${first.toFixed(1)} ${height}Z`} />
        <path class="line t-impression" d={path(impressions)} />
        <path class="line t-click" d={path(clicks)} />
      </svg>
      <figcaption>
        <span>{time(begin, 'minute')}</span>
        <span>most: {most(1).toFixed(most(1) < 10 ? 1 : 0)} impressions / s · {most(2).toFixed(2)} clicks / s</span>
        <span>{time(end, 'minute')}</span>
      </figcaption>
    </figure>
  );
}
