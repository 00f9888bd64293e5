// Dead letters that are sent again: what stands for each of them now, and the engine's answer.
import { getJson, Problem, problemOf } from './api';
import { membersOf, objectText, prettyText, setMember } from './json_object';

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
  // Only of letters with their bytes: these, what they were meant for, and the event that they say
  // where they are no JSON themselves.
  text?: string;
  hex?: string;
  as: Topic;
  event?: string;
  sent_again: SentAgain | null;
}
export type Topic = 'impressions' | 'clicks';
export interface Redrive {
  letter: string;
  as: Topic;
  text?: string;
  hex?: string;
}
// What is to be set in each event: a field and its value as typed; an empty value takes it away.
export type Change = [field: string, value: string];

const membersIn = (letter: Letter) => membersOf(letter.event ?? letter.text ?? '');

// The event as people edit it, a field a line; null when the bytes say none.
export function eventText(letter: Letter): string | null {
  const members = membersIn(letter);
  return members ? prettyText(members) : (letter.text ?? null);
}

// What is sent for it; null when changes are wanted in what is no JSON object.
export function redriveOf(letter: Letter, as: Topic, changes: Change[]): Redrive | null {
  const wanted = changes.filter(([field]) => field !== '');
  const item = { letter: letter.id, as };
  if (wanted.length === 0)
    return letter.hex !== undefined ? { ...item, hex: letter.hex } : { ...item, text: letter.event ?? letter.text ?? '' };
  const members = membersIn(letter);
  if (!members) return null;
  return { ...item, text: objectText(wanted.reduce((left, [field, value]) => setMember(left, field, value), members)) };
}

// Bytes as people edit them. What cannot be read is null.
export type Form = 'json' | 'hex' | 'base64';
export function bytesOf(form: Form, text: string): string | null {
  const packed = text.replace(/\s+/g, '');
  if (form === 'hex') return /^(?:[0-9a-f]{2})*$/i.test(packed) ? packed.toLowerCase() : null;
  try {
    return Array.from(atob(packed), (c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  } catch {
    return null;
  }
}
export function shownBytes(form: Form, hex: string): string {
  const pairs = hex.match(/../g) ?? [];
  if (form === 'base64') return btoa(pairs.map((pair) => String.fromCharCode(parseInt(pair, 16))).join(''));
  return pairs.map((pair, i) => pair + (i % 16 === 15 ? '\n' : ' ')).join('').trimEnd();
}

export interface Refused { letter: string; field: string; reason: string; detail: string }
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
    { rejected?: { index: number; field: string; reason: string; detail: string }[] } | null;
  if (!body?.rejected) throw await problemOf(answer);
  const refused = new Map(body.rejected.map((one) => [one.index, one]));
  return {
    accepted: items.filter((_, i) => !refused.has(i)).map((item) => item.letter),
    refused: items.flatMap((item, i) => {
      const why = refused.get(i);
      return why ? [{ letter: item.letter, field: why.field, reason: why.reason, detail: why.detail }] : [];
    }),
  };
}

const pageSize = 10_000; // the engine reads the whole topic for each page
export const lettersMax = 50_000;

// All letters of a reason with their bytes, oldest first, page by page.
export async function allLetters(reason: string, stop: AbortSignal, told: (count: number) => void): Promise<Letter[]> {
  const all: Letter[] = [];
  for (let after: string | null = ''; after !== null && all.length < lettersMax;) {
    const query = new URLSearchParams({ show: 'true', order: 'oldest', limit: String(pageSize) });
    if (reason) query.set('reason', reason);
    if (after) query.set('after', after);
    const page: { dead_letters: Letter[]; next: string | null } = await getJson(`/v1/dead-letters?${query}`, stop);
    all.push(...page.dead_letters);
    after = page.next;
    told(all.length);
  }
  return all;
}
