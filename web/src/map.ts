// The live world map on a canvas: land as dots, events as pulses whose shape tells what they are.
import { geoEqualEarth, geoPath, type GeoProjection } from 'd3-geo';
import { feature } from 'topojson-client';
import type { LiveEvent } from './live';
import { PulseField, pulseKind, stillLevel } from './pulses';
import { color, reducedMotion } from './theme';

const colorNames = ['impression', 'click', 'unlinked', 'refused'];
const traceLife = 12_000; // how long an event can still be pointed at
const tracesMax = 1200;
const hitRadius = 14;

interface Trace {
  x: number;
  y: number;
  begin: number;
  kind: number;
  event: LiveEvent;
}

type Land = Parameters<typeof feature>[0];

export class WorldMap {
  private projection: GeoProjection | null = null;
  private world: unknown = null;
  private readonly pulses = new PulseField();
  private traces: Trace[] = [];
  private width = 0;
  private height = 0;
  private ratio = 1;
  private drawing = 0;
  private pausedAt = 0;
  private marks: number[] = []; // the colours of the traces, as the pixels have them
  private forgot = 0;
  private chosen: LiveEvent | null = null;
  private readonly context: CanvasRenderingContext2D;
  frames = 0; // drawn, for whoever measures

  // The land lies on a canvas of its own beneath, so that it is drawn once.
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly land: HTMLCanvasElement,
  ) {
    const context = canvas.getContext('2d');
    if (!context) throw new Error('this browser has no canvas');
    this.context = context;
  }

  async load(): Promise<void> {
    const place = document.querySelector<HTMLMetaElement>('meta[name="adbrook-world"]');
    if (!place) return;
    const atlas = (await (await fetch(place.content)).json()) as Land;
    const land = (atlas.objects as Record<string, Parameters<typeof feature>[1]>)['land'];
    if (!land) return;
    this.world = feature(atlas, land);
    this.layOut();
  }

  resize(width: number, height: number): void {
    if (width === this.width && height === this.height) return;
    this.width = width;
    this.height = height;
    this.layOut();
  }

  // The colours of the theme may have changed.
  restyle(): void {
    this.layOut();
  }

  private layOut(): void {
    const { width, height } = this;
    if (width === 0 || height === 0) return;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    for (const canvas of [this.canvas, this.land]) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
    // From Tierra del Fuego to Svalbard; the empty poles would only take room.
    const frame = {
      type: 'MultiPoint' as const,
      coordinates: [[-170, 5], [180, 5], [0, -57], [0, 80]] as [number, number][],
    };
    const projection = geoEqualEarth().rotate([-10, 0]);
    const edge = Math.max(4, width * 0.012);
    projection.fitExtent([[edge, edge], [width - edge, height - edge]], frame);
    this.projection = projection;
    this.drawBase();
    const colors = colorNames.map(color);
    this.marks = colors.map(pixelOf);
    this.pulses.layOut(this.context, this.ratio, colors);
    for (const trace of this.traces) this.place(trace, trace.event);
    this.wake();
  }

  // Land becomes a grid of dots: its outline is drawn once, small, and looked at point by point.
  private drawBase(): void {
    const to = this.land.getContext('2d');
    if (!to || !this.projection || !this.world) return;
    const mask = document.createElement('canvas');
    mask.width = this.width;
    mask.height = this.height;
    const outline = mask.getContext('2d', { willReadFrequently: true });
    if (!outline) return;
    const path = geoPath(this.projection, outline);
    outline.beginPath();
    path(this.world as Parameters<typeof path>[0]);
    outline.fill();
    const pixels = outline.getImageData(0, 0, mask.width, mask.height).data;
    const step = Math.max(4, Math.min(7, this.width / 170));
    to.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    to.clearRect(0, 0, this.width, this.height);
    to.fillStyle = color('land');
    to.beginPath();
    const southEnd = this.projection([-10, -57])?.[1] ?? this.height; // no Antarctica
    let odd = false;
    for (let y = step / 2; y < this.height; y += step * 0.87) {
      odd = !odd;
      if (y > southEnd) break;
      for (let x = odd ? step / 2 : step; x < this.width; x += step) {
        if ((pixels[(Math.floor(y) * mask.width + Math.floor(x)) * 4 + 3] ?? 0) < 128) continue;
        to.moveTo(x + step * 0.3, y);
        to.arc(x, y, step * 0.3, 0, 6.3);
      }
    }
    to.fill();
  }

  private place(point: { x: number; y: number }, event: LiveEvent): boolean {
    const at = this.projection?.([event.lon ?? 0, event.lat ?? 0]);
    if (!at) return false;
    [point.x, point.y] = at;
    return true;
  }

  // Events of one frame begin one after the other within `spread` ms, so that the map never blinks.
  add(events: LiveEvent[], spread: number): void {
    const time = performance.now();
    for (const event of events) {
      if (event.lat === undefined || event.lon === undefined) continue;
      const trace: Trace = { x: 0, y: 0, begin: 0, kind: pulseKind(event.outcome), event };
      if (!this.place(trace, event)) continue;
      trace.begin = time + (reducedMotion.value ? 0 : Math.random() * spread);
      this.traces.push(trace);
      this.pulses.add(trace.x, trace.y, trace.begin, trace.kind);
    }
    if (this.traces.length > tracesMax) this.traces.splice(0, this.traces.length - tracesMax);
    this.wake();
  }

  pause(paused: boolean): void {
    if (paused === (this.pausedAt > 0)) return;
    if (paused) {
      this.pausedAt = performance.now();
      return;
    }
    const slept = performance.now() - this.pausedAt;
    this.pausedAt = 0;
    this.pulses.delay(slept);
    for (const trace of this.traces) trace.begin += slept;
    this.wake();
  }

  choose(event: LiveEvent | null): void {
    this.chosen = event;
    this.wake();
  }

  // The newest event near this point.
  find(x: number, y: number): LiveEvent | null {
    let best: Trace | null = null;
    let distance = hitRadius;
    for (const trace of this.traces) {
      const d = Math.hypot(trace.x - x, trace.y - y) - (trace.kind > 0 ? 3 : 0);
      if (d <= distance) {
        best = trace;
        distance = d;
      }
    }
    return best?.event ?? null;
  }

  private wake(): void {
    if (!this.drawing) this.drawing = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.drawing = 0;
    const time = this.pausedAt || performance.now();
    ++this.frames;
    if (time - this.forgot > 500) {
      this.forgot = time;
      this.traces = this.traces.filter((t) => time - t.begin < traceLife);
    }
    this.pulses.clear();
    for (const t of this.traces) if (time >= t.begin) this.pulses.mark(t.x, t.y, this.marks[t.kind] ?? 0);
    this.pulses.draw(this.context, time, reducedMotion.value ? stillLevel : undefined);
    this.drawChosen();
    if (this.pausedAt || this.pulses.count + this.traces.length === 0) return;
    // Marks alone, or a page without motion, only have to forget now and then.
    if (reducedMotion.value) setTimeout(() => this.wake(), 1000);
    else if (this.pulses.count === 0) setTimeout(() => this.wake(), 500);
    else this.wake();
  }

  private drawChosen(): void {
    const trace = this.chosen && this.traces.find((t) => t.event.id === this.chosen?.id);
    if (!trace) return;
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.context.strokeStyle = color('text');
    this.context.lineWidth = 1.5;
    this.context.beginPath();
    this.context.arc(trace.x, trace.y, 9, 0, 6.3);
    this.context.stroke();
  }
}

// "#0369a1" as a pixel without its alpha: the lowest byte is red.
function pixelOf(css: string): number {
  const [red = 0, green = 0, blue = 0] = (css.match(/[0-9a-f]{2}/gi) ?? []).map((pair) => parseInt(pair, 16));
  return red | (green << 8) | (blue << 16);
}
