// A rate over time with its band, or a count; drag to zoom, arrows to pan.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { count, percent, short, time, zone } from './format';
import { color, isDark } from './theme';

export interface Points {
  times: number[]; // ms
  value: (number | null)[];
  low?: (number | null)[];
  high?: (number | null)[];
  before?: (number | null)[];
  volume?: (number | null)[]; // faint bars behind a rate
  openFrom?: number; // the first bucket that is not over yet
}

const font = '12px Inter, system-ui, sans-serif';

function axis(values: (u: uPlot, splits: number[]) => string[], extra: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return {
    stroke: color('soft'), font, ticks: { show: false }, values,
    grid: { stroke: color('line'), width: 1 }, ...extra,
  } as uPlot.Axis;
}

// A bucket with few impressions has an interval up to 100 %; it may leave the chart, so that the
// others can be read.
function topOf(points: Points, isRate: boolean): number {
  const known = (list: (number | null)[] | undefined) => (list ?? []).filter((v): v is number => v !== null);
  const highs = known(points.high).sort((a, b) => a - b);
  const most = Math.max(0, ...known(points.value), ...known(points.before), highs[Math.floor(highs.length * 0.85)] ?? 0);
  return most > 0 ? most * 1.15 : isRate ? 0.01 : 1;
}

const midnight = (seconds: number) => time(seconds * 1000, 'minute') === '00:00';

function series(points: Points, isRate: boolean): { series: uPlot.Series[]; data: uPlot.AlignedData; bands: uPlot.Band[] } {
  const tone = color(isRate ? 'accent' : 'impression');
  const all: uPlot.Series[] = [{}];
  const data: (number | null)[][] = [points.times.map((t) => t / 1000)];
  const bands: uPlot.Band[] = [];
  if (points.volume) {
    all.push({ scale: 'volume', fill: color('bar'), stroke: 'transparent', width: 0,
      paths: uPlot.paths.bars?.({ size: [0.86, 60], radius: 0.15 }) ?? null, points: { show: false } } as uPlot.Series);
    data.push(points.volume);
  }
  if (points.low && points.high) {
    const at = all.length;
    all.push({ scale: 'y', stroke: 'transparent', points: { show: false } });
    all.push({ scale: 'y', stroke: 'transparent', points: { show: false } });
    data.push(points.high, points.low);
    bands.push({ series: [at, at + 1], fill: `color-mix(in srgb, ${tone} 20%, transparent)` });
  }
  if (points.before) {
    all.push({ scale: 'y', stroke: color('soft'), width: 1.5, dash: [5, 5], points: { show: false } });
    data.push(points.before);
  }
  const line = { scale: 'y', stroke: tone, width: 2.2, points: { show: points.times.length < 3, size: 7 } };
  const openFrom = points.openFrom ?? points.times.length;
  all.push({ ...line, ...(isRate ? {} : { fill: `color-mix(in srgb, ${tone} 12%, transparent)` }) });
  data.push(points.value.map((v, i) => (i < openFrom ? v : null)));
  if (openFrom < points.times.length) {
    // What will still change is not drawn like what is known.
    all.push({ ...line, width: 1.8, dash: [3, 4] });
    data.push(points.value.map((v, i) => (i >= openFrom - 1 ? v : null)));
  }
  return { series: all, data: data as uPlot.AlignedData, bands };
}

export function Chart(props: {
  points: Points;
  title: string;
  isRate: boolean;
  bucket: string;
  onZoom: (from: number, to: number) => void;
  onPan: (share: number) => void;
  onScale: (by: number) => void;
  onOpen: (begin: number) => void; // one bucket
  canvas?: (canvas: HTMLCanvasElement) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const { points, isRate } = props;
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    if (!box.current || points.times.length === 0) return;
    const made = series(points, isRate);
    const form = props.bucket === '1d' ? 'day' : props.bucket === '1m' ? 'minute' : 'dayAndMinute';
    const size = () => ({ width: box.current?.clientWidth ?? 600, height: 280 });
    const show = (u: uPlot) => {
      if (!tip.current) return;
      const i = u.cursor.idx;
      tip.current.hidden = i == null;
      if (i == null) return;
      const p = latest.current.points;
      const text = (v: number | null | undefined) => (isRate ? percent(v) : count(v));
      const open = i >= (p.openFrom ?? p.times.length);
      const lines = [time(p.times[i], form) + (open ? ', not over yet' : ''), text(p.value[i])];
      if (p.low && p.high) lines.push(`95 %: ${percent(p.low[i])} – ${percent(p.high[i])}`);
      if (p.volume) lines.push(`${count(p.volume[i])} impressions`);
      if (p.before) lines.push(`before: ${text(p.before[i])}`);
      tip.current.replaceChildren(...lines.map((line) => {
        const element = document.createElement('span');
        element.textContent = line;
        return element;
      }));
      const left = (u.cursor.left ?? 0) + u.bbox.left / devicePixelRatio;
      tip.current.style.left = `${Math.min(Math.max(left, 90), u.width - 90)}px`;
    };
    const plot = new uPlot(
      {
        ...size(),
        tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), zone.value),
        legend: { show: false },
        padding: [12, 22, 0, 0],
        cursor: { drag: { x: true, y: false }, points: { size: 8 } },
        scales: {
          x: { time: true },
          y: { range: () => [0, topOf(latest.current.points, isRate)] },
          volume: { range: (_u, _min, max) => [0, max > 0 ? max * 3.2 : 1] },
        },
        axes: [
          { stroke: color('soft'), font, ticks: { show: false }, grid: { show: false }, space: 70, size: 28,
            values: (_u, splits) => splits.map((at) => (midnight(at) ? time(at * 1000, 'day') : time(at * 1000, 'minute'))) },
          axis((_u, splits) => splits.map((v) => (isRate ? percent(v, v !== 0 && v < 0.01 ? 2 : 1) : short(v))), { size: 62 }),
        ],
        series: made.series,
        bands: made.bands,
        hooks: {
          ready: [(u) => {
            let pressedAt = 0;
            u.over.addEventListener('mousedown', (event) => (pressedAt = event.clientX));
            u.over.addEventListener('click', (event) => {
              const bucket = latest.current.points.times[u.cursor.idx ?? -1];
              if (Math.abs(event.clientX - pressedAt) < 4 && bucket !== undefined) latest.current.onOpen(bucket);
            });
          }],
          setCursor: [show],
          setSelect: [(u) => {
            if (u.select.width < 8) return;
            const at = (x: number) => u.posToVal(x, 'x') * 1000;
            latest.current.onZoom(at(u.select.left), at(u.select.left + u.select.width));
          }],
        },
      },
      made.data,
      box.current,
    );
    plot.ctx.canvas.setAttribute('aria-hidden', 'true');
    props.canvas?.(plot.ctx.canvas);
    const watch = new ResizeObserver(() => plot.setSize(size()));
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [JSON.stringify(points), isRate, props.bucket, isDark.value, zone.value]);
  return (
    <div class="chart" tabIndex={0} role="group"
      aria-label={`${props.title} over time. Arrow keys move the period, plus and minus zoom. The table below has the numbers.`}
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft') props.onPan(-0.25);
        else if (event.key === 'ArrowRight') props.onPan(0.25);
        else if (event.key === '+' || event.key === '=') props.onScale(0.5);
        else if (event.key === '-') props.onScale(2);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}>
      <div ref={box} />
      <div class="chart-tip" ref={tip} hidden />
    </div>
  );
}
