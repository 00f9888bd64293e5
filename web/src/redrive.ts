// Dead letters that are sent again: what stands for each of them now, and the engine's answer.
import { getJson, Problem, problemOf } from './api';

export interface SentAgain { count: number; append_time: string; topic: string; event: string }
export interface Letter {
  id: string;
  source: string;
  place: number;
  append_time: string;
  reason: string;
  field: string;
  detail: string;
  size: number;
  text?: string;
  hex?: string;
  sent_again: SentAgain | null;
}
export type Topic = 'impressions' | 'clicks';
export interface Redrive {
  letter: string;
  as: Topic;
  text: string;
}
// What is to be set in each event: a field and its value as typed; an empty value takes it away.
export type Change = [field: string, value: string];

export function topicOf(letter: Letter): Topic {
  return letter.source.includes('click') ? 'clicks' : 'impressions';
}

const numbers = new Set(['campaignId', 'pubId', 'priceMicros', 'latitude', 'longitude', 'samplingProbability']);
const linkOnly = new Set(['to', 'sig']);

// A pixel or link came as a query string; the engine would have added its id and time. The id is that
// of the letter, so that sending it twice makes a duplicate.
function fromQuery(letter: Letter): Record<string, unknown> {
  const event: Record<string, unknown> = { uuid: letter.id, timestamp: letter.append_time };
  for (const [name, value] of new URLSearchParams(letter.text))
    if (!linkOnly.has(name))
      event[name] = numbers.has(name) && value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
  return event;
}

function objectOf(letter: Letter): Record<string, unknown> | null {
  if (letter.source.startsWith('GET ')) return fromQuery(letter);
  try {
    const value: unknown = JSON.parse(letter.text ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function typed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

// The text to send; null when it is no text, or changes are wanted in what is no JSON object.
export function textOf(letter: Letter, changes: Change[], indent = 0): string | null {
  if (letter.text === undefined) return null;
  const wanted = changes.filter(([field]) => field !== '');
  if (wanted.length === 0 && !letter.source.startsWith('GET ') && indent === 0) return letter.text;
  const event = objectOf(letter);
  if (!event) return wanted.length === 0 ? letter.text : null;
  for (const [field, value] of wanted)
    if (value === '') delete event[field];
    else event[field] = typed(value);
  return JSON.stringify(event, null, indent);
}

export interface Refused { letter: string; reason: string; detail: string }
export interface Answer { accepted: string[]; refused: Refused[] }

// One request: all that is accepted is durable and marked when it is answered.
export async function redrive(items: Redrive[], keep: boolean): Promise<Answer> {
  let answer: Response;
  try {
    answer = await fetch(`/v1/dead-letters/redrive${keep ? '' : '?dry_run=1'}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson' },
      body: items.map((item) => JSON.stringify(item)).join('\n'),
    });
  } catch {
    throw new Problem(0, keep
      ? 'The engine does not answer. Whether these were sent is told by the marks once it is back.'
      : 'The engine does not answer; nothing was sent.');
  }
  const body = (await answer.clone().json().catch(() => null)) as
    { rejected?: { index: number; reason: string; detail: string }[] } | null;
  if (!body?.rejected) throw await problemOf(answer);
  const refused = new Map(body.rejected.map((one) => [one.index, one]));
  return {
    accepted: items.filter((_, i) => !refused.has(i)).map((item) => item.letter),
    refused: items.flatMap((item, i) => {
      const why = refused.get(i);
      return why ? [{ letter: item.letter, reason: why.reason, detail: why.detail }] : [];
    }),
  };
}

const pageSize = 500;
export const lettersMax = 10_000;

// All letters of a reason with their bytes, oldest first, page by page.
export async function allLetters(reason: string, stop: AbortSignal, told: (count: number) => void): Promise<Letter[]> {
  const all: Letter[] = [];
  for (;;) {
    const limit = Math.min(pageSize, lettersMax - all.length);
    const query = new URLSearchParams({ show: 'true', order: 'oldest', skip: String(all.length), limit: String(limit) });
    if (reason) query.set('reason', reason);
    const page = await getJson<{ dead_letters: Letter[]; more: boolean }>(`/v1/dead-letters?${query}`, stop);
    all.push(...page.dead_letters);
    told(all.length);
    if (!page.more || page.dead_letters.length === 0 || all.length >= lettersMax) return all;
  }
}
