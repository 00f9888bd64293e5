// Many dead letters sent again in one go: chosen, changed alike, tried, and only then sent.
import { signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Problem } from './api';
import { downloadCsv } from './csv';
import { count } from './format';
import { Choice, Empty, Loading, Panel, Text, Trouble } from './parts';
import {
  type Answer, allLetters, type Change, type Letter, type Redrive, redrive, redriveOf, type Topic,
} from './redrive';
import { href, param } from './router';

// Which letters the list has ticked.
export const chosen = signal<ReadonlySet<string>>(new Set());

const perRequest = 500;
const sizeMax = 4_000_000; // characters; then the next request begins
const shownMax = 20;

function useLetters(reason: string, only: ReadonlySet<string> | null) {
  const [letters, setLetters] = useState<Letter[] | null>(null);
  const [read, setRead] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setProblem(null);
    setLetters(null);
    allLetters(reason, stop.signal, setRead).then(
      (all) => setLetters(all.filter((l) => (only ? only.has(l.id) : !l.sent_again))),
      (error: unknown) => !stop.signal.aborted && setProblem(error instanceof Problem ? error : new Problem(0, String(error))),
    );
    return () => stop.abort();
  }, [reason, only, turn]);
  return { letters, read, problem, again: () => setTurn(turn + 1) };
}

// Asks in pieces, so that there is progress, and a piece that fails leaves the others as they are.
async function inPieces(items: Redrive[], keep: boolean, told: (done: Answer) => void): Promise<Answer> {
  const all: Answer = { accepted: [], refused: [] };
  for (let at = 0; at < items.length;) {
    const begin = at;
    let size = 0;
    do size += (items[at]?.text ?? items[at]?.hex ?? '').length;
    while (++at < items.length && at - begin < perRequest && size < sizeMax);
    const answer = await redrive(items.slice(begin, at), keep);
    all.accepted.push(...answer.accepted);
    all.refused.push(...answer.refused);
    told({ ...all });
  }
  return all;
}

function Changes({ changes, onChange }: { changes: Change[]; onChange: (next: Change[]) => void }) {
  const set = (at: number, place: 0 | 1, value: string) =>
    onChange(changes.map((c, i) => (i === at ? (place === 0 ? [value, c[1]] : [c[0], value]) : c)));
  return (
    <fieldset class="changes">
      <legend>Set in each of them</legend>
      {changes.map(([field, value], i) => (
        <div class="row" key={i}>
          <input class="field mono" aria-label={`Field ${i + 1}`} placeholder="field, like campaignId" value={field}
            onInput={(e) => set(i, 0, e.currentTarget.value)} />
          <span aria-hidden="true">=</span>
          <input class="field mono" aria-label={`Value ${i + 1}`} placeholder="value; empty takes the field away" value={value}
            onInput={(e) => set(i, 1, e.currentTarget.value)} />
        </div>
      ))}
      <button type="button" class="link" onClick={() => onChange([...changes, ['', '']])}>One more field</button>
    </fieldset>
  );
}

function Refusals({ answer }: { answer: Answer }) {
  if (answer.refused.length === 0) return null;
  return (
    <details open={answer.refused.length <= shownMax}>
      <summary>{count(answer.refused.length)} would be refused</summary>
      <ul class="refusals">{answer.refused.slice(0, shownMax).map((r) => (
        <li key={r.letter}><a class="mono" href={href('dead-letters', {}, r.letter)}>{r.letter}</a> {r.field && <><b><Text>{r.field}</Text></b> </>}<Text>{r.detail}</Text></li>
      ))}</ul>
      {answer.refused.length > shownMax && (
        <button type="button" class="link" onClick={() => downloadCsv('adbrook-refused.csv', ['letter', 'field', 'reason', 'detail'],
          answer.refused.map((r) => [r.letter, r.field, r.reason, r.detail]))}>All {count(answer.refused.length)} as CSV</button>
      )}
    </details>
  );
}

function Preview({ letters, items }: { letters: Letter[]; items: Map<string, Redrive> }) {
  return (
    <details>
      <summary>What would be sent</summary>
      <ol class="previews">{letters.slice(0, shownMax).map((l) => (
        <li key={l.id}><pre class="bytes was"><Text>{l.text ?? l.hex}</Text></pre>
          <pre class="bytes"><Text empty="cannot be changed: it is no JSON object">{items.get(l.id)?.text ?? items.get(l.id)?.hex}</Text></pre></li>
      ))}</ol>
      {letters.length > shownMax && <p class="note">The first {shownMax} of {count(letters.length)}.</p>}
    </details>
  );
}

type Stage = 'idle' | 'trying' | 'tried' | 'sending' | 'sent';

function Bulk({ letters }: { letters: Letter[] }) {
  const [changes, setChanges] = useState<Change[]>([['', '']]);
  const [as, setAs] = useState<Topic | 'came'>('came');
  const [stage, setStage] = useState<Stage>('idle');
  const [answer, setAnswer] = useState<Answer>({ accepted: [], refused: [] });
  const [trouble, setTrouble] = useState<Problem | null>(null);
  const items = useMemo(() => {
    const made = new Map<string, Redrive>();
    for (const letter of letters) {
      const item = redriveOf(letter, as === 'came' ? letter.as : as, changes);
      if (item) made.set(letter.id, item);
    }
    return made;
  }, [letters, changes, as]);
  // What was tried is what is sent: any change asks for another try.
  useEffect(() => { setStage('idle'); setTrouble(null); }, [items]);
  const run = async (keep: boolean) => {
    setTrouble(null);
    setStage(keep ? 'sending' : 'trying');
    const passed = new Set(answer.accepted);
    const list = keep ? [...items.values()].filter((item) => passed.has(item.letter)) : [...items.values()];
    let soFar: Answer = { accepted: [], refused: [] };
    try {
      const all = await inPieces(list, keep, (done) => { soFar = done; if (keep) setAnswer(done); });
      setAnswer(all);
      if (keep) chosen.value = new Set();
      setStage(keep ? 'sent' : 'tried');
    } catch (error) {
      setTrouble(error instanceof Problem ? error : new Problem(0, String(error)));
      if (keep) setAnswer(soFar);
      setStage(keep && soFar.accepted.length > 0 ? 'sent' : 'idle');
    }
  };
  const left = letters.length - items.size;
  const forged = letters.filter((l) => l.reason === 'bad_signature').length;
  const busy = stage === 'trying' || stage === 'sending';
  return (
    <Panel title={`Send ${count(letters.length)} again`}>
      <p class="note">The dead letters stay, whatever you do here. Those that are accepted get a mark, in the same
        step in which their event becomes durable; an event that was accepted before ends as a duplicate.</p>
      {forged > 0 && <p class="warning">{count(forged)} of these clicks were turned away because their link was not signed here. Send them only if you know who made them.</p>}
      <Changes changes={changes} onChange={setChanges} />
      <div class="row">
        <Choice label="As" value={as} options={[['came', 'As they came'], ['impressions', 'Impressions'], ['clicks', 'Clicks']]} onChoose={setAs} />
        <button type="button" class="button" disabled={busy || items.size === 0} onClick={() => void run(false)}>Try all, keep nothing</button>
        <button type="button" class="button primary" disabled={stage !== 'tried' || answer.accepted.length === 0} onClick={() => void run(true)}>
          Send {stage === 'tried' ? count(answer.accepted.length) : ''} again</button>
      </div>
      <p role="status" class="said">
        {stage === 'trying' ? 'Trying …' : stage === 'sending' ? `Sending … ${count(answer.accepted.length)} are durable`
          : stage === 'tried' ? `${count(answer.accepted.length)} would be accepted, ${count(answer.refused.length)} refused.`
          : stage === 'sent' ? `${count(answer.accepted.length)} were accepted and marked. They are on their way to an outcome.`
          : 'Try them first.'}
        {left > 0 && ` ${count(left)} cannot be sent from here: they are no JSON object whose fields could be set. Correct them one by one.`}
      </p>
      {trouble && <Trouble problem={trouble} />}
      {stage === 'tried' && <Refusals answer={answer} />}
      <Preview letters={letters} items={items} />
    </Panel>
  );
}

export function RedriveMany() {
  const reason = param('reason');
  const all = param('redrive') === 'all';
  // Those that were ticked when the screen opened: what is sent is unticked.
  const [ticked] = useState(chosen.peek());
  const { letters, read, problem, again } = useLetters(reason, all ? null : ticked);
  return (
    <div class="stack">
      <p><a href={href('dead-letters', reason ? { reason: [reason] } : {})}>← Dead letters</a></p>
      {problem ? <Trouble problem={problem} again={again} />
        : !letters ? <><p class="note" role="status">Reading {count(read)} …</p><Loading lines={5} /></>
        : letters.length === 0 ? <Empty title="Nothing is chosen"><p>Tick letters in the list, or send all that wait under a reason.</p></Empty>
        : <Bulk letters={letters} />}
    </div>
  );
}
