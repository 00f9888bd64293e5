// The live stream: one EventSource for the whole page, and what came by it.
import { computed, signal } from '@preact/signals';
import { parseJson } from './api';

export interface LiveEvent {
  id: string;
  kind: 'impression' | 'click';
  outcome: string;
  reason?: string;
  time: number;
  campaign: number;
  publisher: number;
  country?: string;
  city?: string;
  lat?: number;
  lon?: number;
}
export interface LiveWindow {
  ms: number;
  covered_ms: number;
  events: number;
  impressions: number;
  joined: number;
  unlinked: number;
  ctr: number | null;
  ctr_low: number | null;
  ctr_high: number | null;
  duplicate: number;
  rejected: number;
  late: number;
  filtered: number;
  orphan: number;
  expired: number;
  duplicate_share: number | null;
  rejected_share: number | null;
  spend_micros: Record<string, number>;
}
export interface Frame {
  at: number;
  as_of: string | null;
  final_until: string | null;
  behind: number;
  state: 'running' | 'restoring' | 'stopped';
  trouble?: string;
  windows?: [LiveWindow, LiveWindow, LiveWindow];
  seen: [number, number, number, number];
  events: LiveEvent[];
}
export type Slot = [begin: number, impressions: number, clicks: number];

export type Connection = 'connecting' | 'live' | 'lost';
export const connection = signal<Connection>('connecting');
export const frame = signal<Frame | null>(null);
export const frameCameAt = signal(0);
export const slots = signal<Slot[]>([]);
export const version = signal('');
// Moves once a second, for ages.
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1000);

export const stale = computed(() => connection.value === 'lost');

type Listener = (frame: Frame) => void;
const listeners = new Set<Listener>();
export function onFrame(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const slotCount = 180;
const silenceMax = 4000; // frames come twice a second, also without traffic
const hiddenMax = 60_000;
const retryAfter = 2000;

let source: EventSource | null = null;
let retry = 0;
let hidden = 0;

function take<T>(event: Event, use: (data: T) => void): void {
  use(parseJson<T>((event as MessageEvent<string>).data));
}

function open(): void {
  clearTimeout(retry);
  source?.close();
  source = new EventSource('/v1/live');
  source.addEventListener('hello', (event) =>
    take<{ version: string; slots: Slot[] }>(event, (hello) => {
      version.value = hello.version;
      slots.value = hello.slots;
    }),
  );
  source.addEventListener('slot', (event) =>
    take<Slot>(event, (slot) => {
      slots.value = [...slots.value.filter((s) => s[0] < slot[0]), slot].slice(-slotCount);
    }),
  );
  source.addEventListener('frame', (event) =>
    take<Frame>(event, (next) => {
      connection.value = 'live';
      frameCameAt.value = Date.now();
      frame.value = next;
      for (const listener of listeners) listener(next);
    }),
  );
  source.addEventListener('error', () => {
    connection.value = frame.value ? 'lost' : 'connecting';
    // The browser comes again by itself unless it was refused.
    if (source?.readyState === EventSource.CLOSED) retry = window.setTimeout(open, retryAfter);
  });
}

export function startLive(): void {
  open();
  setInterval(() => {
    if (!source || !frame.value || Date.now() - frameCameAt.value < silenceMax) return;
    connection.value = 'lost';
    if (source.readyState === EventSource.OPEN) open(); // a connection that died without a word
  }, 1000);
  // A page that nobody sees costs the engine nothing.
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hidden);
    if (document.hidden) {
      hidden = window.setTimeout(() => {
        source?.close();
        source = null;
      }, hiddenMax);
    } else if (!source) {
      open();
    }
  });
}
