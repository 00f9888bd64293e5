// What could not be read as an event: by reason, with its bytes, and a way to send it again.
import { useState } from 'preact/hooks';
import { useQuery } from './api';
import { downloadCsv } from './csv';
import { bytes, count, short, time } from './format';
import { Choice, CodeBlock, Empty, Loading, NumberHead, Panel, Text, Trouble } from './parts';
import { downloadBars } from './picture';
import {
  bytesOf, eventText, type Form, type Letter, redrive, type SentAgain, shownBytes, type Topic,
} from './redrive';
import { chosen, RedriveMany } from './redrive_screen';
import { href, param, route, setParams } from './router';
import { Saves } from './saves';

interface Letters {
  groups: { reason: string; count: number; sent_again: number; first: Letter; last: Letter }[];
  dead_letters: Letter[];
  more: boolean;
}

function Mark({ sent }: { sent: SentAgain | null }) {
  if (!sent) return <span class="muted">waits</span>;
  return (
    <a href={href('event', {}, sent.event)} title={`${time(sent.append_time)}${sent.count > 1 ? `, ${sent.count} times` : ''}`}>
      <b class="outcome s-good">sent again</b>
    </a>
  );
}

const formNames: Record<Form, string> = { json: 'JSON', hex: 'Hex', base64: 'Base64' };

function RedriveOne({ letter, onSent }: { letter: Letter; onSent: () => void }) {
  const event = eventText(letter);
  const forms = (['json', 'hex', 'base64'] as const).filter((f) => (f === 'json' ? event !== null : letter.hex !== undefined));
  const [form, setForm] = useState<Form>(event === null ? 'hex' : 'json');
  const [text, setText] = useState(event ?? shownBytes('hex', letter.hex ?? ''));
  const [topic, setTopic] = useState<Topic>(letter.as);
  const [said, setSaid] = useState('');
  const [checked, setChecked] = useState('');
  const now = [form, topic, text].join();
  const choose = (next: Form) => {
    if (next === form) return;
    const bytes = form === 'json' ? letter.hex : bytesOf(form, text);
    if (next === 'json') setText(event ?? '');
    else setText(shownBytes(next, bytes ?? letter.hex ?? ''));
    setForm(next);
    setSaid('');
  };
  const run = async (keep: boolean) => {
    setSaid('');
    const bytes = form === 'json' ? '' : bytesOf(form, text);
    if (bytes === null) return setSaid(`This is no ${form === 'hex' ? 'hex: two digits stand for each byte' : 'Base64'}.`);
    const answer = await redrive([{ letter: letter.id, as: topic, ...(form === 'json' ? { text } : { hex: bytes }) }], keep)
      .then(({ refused: [refused] }) => (refused ? `Refused: ${refused.field ? `${refused.field}: ` : ''}${refused.detail}`
        : keep ? 'Accepted. It is durable, and on its way to an outcome.' : 'It would be accepted.'))
      .catch((error: Error) => error.message);
    setSaid(answer);
    setChecked(!keep && answer.startsWith('It would') ? now : '');
    if (keep) onSent();
  };
  return (
    <Panel title="Correct it and send it again">
      <p class="note">The dead letter itself stays, whatever you do here. A copy of an event that was accepted before ends as a duplicate.</p>
      {letter.reason === 'bad_signature' && <p class="warning">This click was turned away because its link was not signed here. Send it only if you know who made it.</p>}
      {forms.length > 1 && <div class="row">
        <Choice label="Edit as" value={form} options={forms.map((f) => [f, formNames[f]] as const)} onChoose={choose} />
        {form === 'json' && <span class="muted">what its bytes say; as hex they are sent as they are</span>}
      </div>}
      <label class="block"><span class="muted">{form === 'json' ? 'The event, as JSON' : `The bytes of its record, as ${formNames[form]}`}</span>
        <textarea class="field mono" rows={9} spellcheck={false} value={text} onInput={(e) => setText(e.currentTarget.value)} /></label>
      <div class="row">
        <Choice label="As" value={topic} options={[['impressions', 'Impression'], ['clicks', 'Click']]} onChoose={setTopic} />
        <button type="button" class="button" onClick={() => void run(false)}>Try it, keep nothing</button>
        <button type="button" class="button primary" disabled={checked !== now} onClick={() => void run(true)}>Send it</button>
      </div>
      <p role="status" class="said">{said || 'Try it first.'}</p>
    </Panel>
  );
}

function OneLetter({ id }: { id: string }) {
  const query = useQuery<Letter>(`/v1/dead-letters/${encodeURIComponent(id)}`);
  const { data, problem } = query.value;
  if (problem && !data) return <Trouble problem={problem} again={query.again} />;
  if (!data) return <Loading lines={6} />;
  return (
    <div class="stack">
      <p><a href={href('dead-letters')}>← All dead letters</a></p>
      <div class="event-grid">
        <Panel title={<>Dead letter: <b class="outcome o-rejected">{data.reason}</b></>}>
          <dl class="fields">
            <div><dt>why</dt><dd><Text>{data.detail}</Text></dd></div>
            <div><dt>field</dt><dd><Text>{data.field}</Text></dd></div>
            <div><dt>from</dt><dd><Text>{data.source}</Text>{data.place > 0 && `, ${count(data.place)}`}</dd></div>
            <div><dt>since</dt><dd>{time(data.append_time)}</dd></div>
            <div><dt>size</dt><dd>{bytes(data.size)}</dd></div>
            <div><dt>sent again</dt><dd>{data.sent_again
              ? <>{data.sent_again.count > 1 && `${count(data.sent_again.count)} times, last `}{time(data.sent_again.append_time)} as{' '}
                <a class="mono" href={href('event', {}, data.sent_again.event)}>{data.sent_again.event}</a></>
              : <span class="muted">not yet</span>}</dd></div>
            <div><dt>id</dt><dd class="mono"><Text>{data.id}</Text></dd></div>
          </dl>
        </Panel>
        <Panel title={data.hex ? 'Its bytes, as hex' : 'Its bytes'}><CodeBlock>{data.text ?? shownBytes('hex', data.hex ?? '')}</CodeBlock></Panel>
        <div class="wide"><RedriveOne key={data.id} letter={data} onSent={query.again} /></div>
      </div>
    </div>
  );
}

function List() {
  const reason = param('reason');
  const limit = Math.min(1000, Number(param('limit', '50')) || 50);
  const query = useQuery<Letters>(`/v1/dead-letters?${new URLSearchParams({ limit: String(limit), ...(reason && { reason }) })}`, 5000);
  const { data, problem } = query.value;
  if (problem && !data) return <Trouble problem={problem} again={query.again} />;
  if (!data) return <Loading lines={8} />;
  const ticked = chosen.value;
  const waiting = data.dead_letters.filter((l) => !l.sent_again);
  const toggle = (id: string) => {
    const next = new Set(ticked);
    if (!next.delete(id)) next.add(id);
    chosen.value = next;
  };
  const most = Math.max(1, ...data.groups.map((g) => g.count));
  if (data.groups.length === 0)
    return <Panel title="Dead letters"><Empty title="Everything could be read">
      <p>What cannot be read as an event, and has nobody to be told, is kept here with its bytes and the reason.</p>
      <p>See one: <code>curl 'http://127.0.0.1:8080/v1/pixel.gif?campaignId=x&pubId=1'</code></p></Empty></Panel>;
  return (
    <div class="stack">
      <Panel title="By reason" tools={<>
        <button type="button" class="button small" onClick={() => downloadCsv('adbrook-dead-letter-reasons.csv', ['reason', 'letters', 'sent_again', 'newest'],
          data.groups.map((g) => [g.reason, g.count, g.sent_again, g.last.append_time]))}>CSV</button>
        <button type="button" class="button small" onClick={() => downloadBars('adbrook-dead-letter-reasons.png', { title: 'Dead letters by reason',
          note: `${time(Date.now())}`, columns: ['Letters', 'Sent again'],
          bars: data.groups.map((g) => ({ name: g.reason, share: g.count / most, numbers: [count(g.count), count(g.sent_again)] })) })}>PNG</button>
      </>}>
        <table class="table bars reasons">
          <thead><tr><th scope="col">Reason</th><NumberHead name="letters">Letters</NumberHead><NumberHead name="sent_again" class="again">Sent again</NumberHead><th scope="col" class="n newest">Newest</th><th scope="col"><span class="sr">Send again</span></th></tr></thead>
          <tbody>{data.groups.map((g) => (
            <tr key={g.reason} class={g.reason === reason ? 'chosen' : ''}>
              <th scope="row"><i class="bar" style={{ width: `${(100 * g.count) / most}%` }} aria-hidden="true" />
                <button type="button" aria-pressed={g.reason === reason} onClick={() => setParams({ reason: g.reason === reason ? [] : [g.reason] })}><Text>{g.reason}</Text></button></th>
              <td class="n" data-reason={g.reason}>{count(g.count)}</td><td class="n again" data-sent={g.reason}>{count(g.sent_again)}</td>
              <td class="n newest">{time(g.last.append_time, 'dayAndMinute')}</td>
              <td class="n">{g.count > g.sent_again && <a class="link" href={href('dead-letters', { reason: [g.reason], redrive: ['all'] })}>send {short(g.count - g.sent_again)} …</a>}</td></tr>
          ))}</tbody>
        </table>
      </Panel>
      <Panel title={reason ? <>Newest of <Text>{reason}</Text></> : 'Newest'}
        tools={<>
          <a class={`button small ${ticked.size ? 'primary' : ''}`} aria-disabled={ticked.size === 0}
            href={ticked.size ? href('dead-letters', { redrive: ['chosen'], ...(reason && { reason: [reason] }) }) : undefined}>
            Send {ticked.size ? count(ticked.size) : 'chosen'} again …</a>
          <Saves of={() => ({ name: 'adbrook-dead-letters', title: reason ? `Newest dead letters of ${reason}` : 'Newest dead letters',
            columns: ['id', 'append_time', 'source', 'place', 'reason', 'field', 'detail', 'size', 'sent_again_as'],
            rows: data.dead_letters.map((l) => [l.id, l.append_time, l.source, l.place, l.reason, l.field, l.detail, l.size, l.sent_again?.event ?? '']) })} />
        </>}>
        <div class="scroll" tabIndex={0} role="region" aria-label="Dead letters, table">
          <table class="table stacks">
            <thead><tr><th scope="col" class="tick"><input type="checkbox" aria-label="Choose all that are shown and wait"
              checked={waiting.length > 0 && waiting.every((l) => ticked.has(l.id))}
              onChange={(e) => { chosen.value = new Set(e.currentTarget.checked ? waiting.map((l) => l.id) : []); }} /></th>
              <th scope="col">Since</th><th scope="col">Reason</th><th scope="col">What was wrong</th><th scope="col">From</th><NumberHead name="size">Size</NumberHead><th scope="col">State</th></tr></thead>
            <tbody>{data.dead_letters.map((l) => (
              <tr key={l.id}><td class="tick"><input type="checkbox" aria-label={`Choose ${l.id}`} checked={ticked.has(l.id)} onChange={() => toggle(l.id)} /></td>
                <th scope="row"><a href={href('dead-letters', {}, l.id)}>{time(l.append_time)}</a></th>
                <td><b class="outcome o-rejected"><Text>{l.reason}</Text></b></td><td class="says">{l.field && <><b><Text>{l.field}</Text></b> </>}<Text>{l.detail}</Text></td>
                <td><Text>{l.source}</Text></td><td class="n">{bytes(l.size)}</td><td><Mark sent={l.sent_again} /></td></tr>
            ))}</tbody>
          </table>
        </div>
        {data.more && limit < 1000 && <p class="foot"><button type="button" class="link" onClick={() => setParams({ limit: [String(limit * 4)] }, 'replace')}>Show more</button></p>}
      </Panel>
    </div>
  );
}

export function DeadLettersScreen() {
  const id = route.value.rest;
  if (param('redrive')) return <RedriveMany />;
  return id ? <OneLetter id={id} key={id} /> : <List />;
}
