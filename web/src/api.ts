// Questions to the engine. An answer stays on the page, marked as stale, while a newer one cannot be
// had.
import { signal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { writtenFilter } from './views';

export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const mayBeLong = /\d{16}/;

// Whole numbers that no double holds stay as they are written, as texts: an id must not become its
// neighbour's. In browsers that do not tell a number's source text they are rounded.
function exact(_name: string, value: unknown, told?: { source?: string }): unknown {
  return typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER && /^-?\d+$/.test(told?.source ?? '')
    ? told?.source : value;
}

export function parseJson<T>(text: string): T {
  return JSON.parse(text, mayBeLong.test(text) ? exact : undefined) as T;
}

export async function getJson<T>(path: string, stop?: AbortSignal): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { signal: stop ?? null, headers: { Accept: 'application/json' } });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new Problem(0, 'The engine does not answer.');
  }
  if (!answer.ok) throw await problemOf(answer);
  return parseJson<T>(await answer.text());
}

export async function problemOf(answer: Response): Promise<Problem> {
  const body = (await answer.json().catch(() => null)) as { detail?: string } | null;
  return new Problem(answer.status, body?.detail ?? `The engine answered ${answer.status}.`);
}

export interface Query<T> {
  data: T | null;
  problem: Problem | null;
  loading: boolean;
  at: number; // when `data` came, ms; 0 = never
}
const idle = { data: null, problem: null, loading: true, at: 0 };

// Asks for `path`, again when it changes and every `every` ms; null asks nothing.
export function useQuery<T>(path: string | null, every = 0): Signal<Query<T>> & { again(): void } {
  const state = useMemo(() => signal<Query<T>>(idle), []);
  const asked = useMemo(() => signal(0), []);
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    let timer = 0;
    const ask = async () => {
      state.value = { ...state.value, loading: true };
      try {
        const data = await getJson<T>(path, stop.signal);
        state.value = { data, problem: null, loading: false, at: Date.now() };
      } catch (error) {
        if (stop.signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem(0, String(error));
        state.value = { ...state.value, problem, loading: false };
      }
      if (every > 0 && !stop.signal.aborted)
        timer = window.setTimeout(ask, document.hidden ? every * 10 : every);
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, every, asked.value]);
  return Object.assign(state, {
    again() {
      asked.value += 1;
    },
  });
}

export interface ReportRow {
  bucket: string | null;
  impressions: number;
  clicks: number;
  unique_clicks: number;
  ctr: number | null;
  unique_ctr: number | null;
  unique_ctr_low: number | null;
  unique_ctr_high: number | null;
  // One amount and its currency, or two lists of the same length.
  spend: number | number[];
  currency: string | string[];
  [dimension: string]: unknown;
}
export function spendOf(row: ReportRow | null | undefined): Record<string, number> {
  if (!row) return {};
  const amounts = [row.spend].flat();
  const currencies = [row.currency].flat();
  return Object.fromEntries(currencies.map((name, i) => [name, amounts[i] ?? 0]));
}
export interface Report {
  as_of: string | null;
  final_until: string | null;
  view: string;
  row_count: number;
  rows: ReportRow[];
}
export interface ReportQuestion {
  by?: string[];
  from?: number | undefined;
  to?: number | undefined;
  bucket?: '1m' | '1h' | '1d' | 'all';
  where?: string[];
  sort?: string;
  limit?: number;
}
export function reportPath(q: ReportQuestion): string {
  const query = new URLSearchParams();
  if (q.by?.length) query.set('by', q.by.join(','));
  if (q.from !== undefined) query.set('from', String(q.from));
  if (q.to !== undefined) query.set('to', String(q.to));
  query.set('bucket', q.bucket ?? 'all');
  for (const one of q.where ?? []) query.append('where', writtenFilter(one));
  if (q.sort) query.set('sort', q.sort);
  if (q.limit) query.set('limit', String(q.limit));
  query.set('wait', '0');
  return `/v1/reports/click-through?${query}`;
}

export interface OutcomeCount {
  topic: string;
  outcome: string;
  reason: string;
  count: number;
}
export interface AuditAnswer {
  holds: boolean;
  caught_up: boolean;
  behind: number;
  as_of: string | null;
  final_until: string | null;
  partitions: ({ topic: string; partition: number; received: number; pending: number;
    under_way: number; watermark: string | null } & Record<string, number | string | null>)[];
  outcomes: OutcomeCount[];
  failures: string[];
}
