// The live world map on a canvas: land as dots, events as pulses whose shape tells what they are.
import { geoEqualEarth, geoPath, type GeoProjection } from 'd3-geo';
import { feature } from 'topojson-client';
import type { LiveEvent } from './live';
import { color, reducedMotion } from './theme';

// Shapes: dot, ring, diamond, cross.
export const pulseKinds = ['counted', 'joined', 'unlinked', 'turned away'] as const;
export function pulseKind(outcome: string): number {
  return outcome === 'counted' ? 0 : outcome === 'joined' ? 1 : outcome === 'unlinked' ? 2 : 3;
}
const colorNames = ['impression', 'click', 'unlinked', 'refused'];
const lives = [1400, 2600, 2600, 1600]; // ms
const pulsesMax = 5000;
const levels = 16; // steps of growing and fading
const stillLevel = 4; // the one that is shown where motion is unwanted
const traceLife = 12_000; // how long an event can still be pointed at
const tracesMax = 1200;
const hitRadius = 14;

interface Pulse {
  x: number;
  y: number;
  begin: number;
  kind: number;
}
interface Sprite {
  image: HTMLCanvasElement;
  half: number; // of its side
}
interface Trace extends Pulse {
  event: LiveEvent;
}

type Land = Parameters<typeof feature>[0];

export class WorldMap {
  private projection: GeoProjection | null = null;
  private world: unknown = null;
  private readonly base = document.createElement('canvas');
  private pulses: Pulse[] = [];
  private traces: Trace[] = [];
  private width = 0;
  private height = 0;
  private ratio = 1;
  private drawing = 0;
  private pausedAt = 0;
  private colors: string[] = [];
  private sprites: Sprite[][] = [];
  private chosen: LiveEvent | null = null;
  private readonly context: CanvasRenderingContext2D;
  frames = 0; // drawn, for whoever measures

  constructor(private readonly canvas: HTMLCanvasElement) {
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
    this.colors = colorNames.map(color);
    this.layOut();
  }

  private layOut(): void {
    const { width, height } = this;
    if (width === 0 || height === 0) return;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    for (const canvas of [this.canvas, this.base]) {
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
    this.makeSprites();
    for (const trace of this.traces) this.place(trace, trace.event);
    this.pulses = [];
    this.wake();
  }

  // Land becomes a grid of dots: its outline is drawn once, small, and looked at point by point.
  private drawBase(): void {
    const to = this.base.getContext('2d');
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
      this.pulses.push({ x: trace.x, y: trace.y, begin: trace.begin, kind: trace.kind });
    }
    if (this.pulses.length > pulsesMax) this.pulses.splice(0, this.pulses.length - pulsesMax);
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
    for (const pulse of this.pulses) pulse.begin += slept;
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
    const { context } = this;
    this.pulses = this.pulses.filter((p) => time - p.begin < (lives[p.kind] ?? 0));
    this.traces = this.traces.filter((t) => time - t.begin < traceLife);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.base, 0, 0);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.drawTraces(time);
    this.drawPulses(time);
    this.drawChosen();
    if (this.pausedAt || this.pulses.length + this.traces.length === 0) return;
    // Without motion the map still forgets, once a second.
    if (reducedMotion.value) setTimeout(() => this.wake(), 1000);
    else this.wake();
  }

  private drawTraces(time: number): void {
    const { context } = this;
    context.globalAlpha = 0.35;
    for (let kind = 0; kind < pulseKinds.length; ++kind) {
      context.fillStyle = this.colors[kind] ?? '';
      for (const t of this.traces)
        if (t.kind === kind && time >= t.begin) context.fillRect(t.x - 1, t.y - 1, 2, 2);
    }
    context.globalAlpha = 1;
  }

  private drawPulses(time: number): void {
    const { context, sprites } = this;
    for (const p of this.pulses) {
      const age = (time - p.begin) / (lives[p.kind] ?? 1);
      if (age < 0 || age >= 1) continue;
      const level = reducedMotion.value ? stillLevel : Math.floor(age * levels);
      const sprite = sprites[p.kind]?.[level];
      if (sprite) context.drawImage(sprite.image, p.x - sprite.half, p.y - sprite.half, sprite.half * 2, sprite.half * 2);
    }
  }

  // Each shape at each step of its life is drawn once; thousands of copies cost little.
  private makeSprites(): void {
    this.sprites = pulseKinds.map((_, kind) =>
      Array.from({ length: levels }, (_unused, level) => this.sprite(kind, (level + 0.5) / levels)),
    );
  }

  private sprite(kind: number, age: number): Sprite {
    const grown = 1 - (1 - age) * (1 - age);
    const reach = [1.4 + 2.2 * grown, 3 + 16 * grown, 4 + 9 * grown, 3][kind] ?? 3;
    const half = Math.ceil(reach + 2);
    const image = document.createElement('canvas');
    image.width = image.height = Math.ceil(half * 2 * this.ratio);
    const to = image.getContext('2d');
    if (!to) return { image, half };
    to.scale(this.ratio, this.ratio);
    to.translate(half, half);
    to.globalAlpha = 1 - age;
    to.strokeStyle = to.fillStyle = this.colors[kind] ?? '';
    to.lineWidth = kind === 3 ? 1.3 : 2.2 - 1.4 * age;
    to.beginPath();
    if (kind < 2) {
      to.arc(0, 0, reach, 0, 6.3);
    } else if (kind === 2) {
      to.moveTo(0, -reach);
      for (const [x, y] of [[reach, 0], [0, reach], [-reach, 0]] as const) to.lineTo(x, y);
      to.closePath();
    } else {
      to.moveTo(-reach, -reach);
      to.lineTo(reach, reach);
      to.moveTo(reach, -reach);
      to.lineTo(-reach, reach);
    }
    if (kind === 0) to.fill();
    else to.stroke();
    to.beginPath();
    if (kind === 1) to.arc(0, 0, 2.6, 0, 6.3);
    if (kind === 2) to.rect(-2, -2, 4, 4);
    to.fill();
    return { image, half };
  }

  private drawChosen(): void {
    const trace = this.chosen && this.traces.find((t) => t.event.id === this.chosen?.id);
    if (!trace) return;
    this.context.strokeStyle = color('text');
    this.context.lineWidth = 1.5;
    this.context.beginPath();
    this.context.arc(trace.x, trace.y, 9, 0, 6.3);
    this.context.stroke();
  }
}
