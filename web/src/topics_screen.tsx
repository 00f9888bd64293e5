// Topics with their rate and size, what lies in them, and the groups that read them.
import { useEffect, useRef, useState } from 'preact/hooks';
import { useQuery } from './api';
import { bytes, count, duration, fromZoned, rate, short, time, zone, zoned } from './format';
import { Choice, Empty, Loading, NumberHead, Panel, Term, Text, Trouble } from './parts';
import { href, param, route, setParams } from './router';
import { Saves } from './saves';

interface Partition { partition: number; start: number; end: number; bytes: number }
interface Topic { topic: string; retention_ms: number; retention_bytes: number; partitions: Partition[] }
interface Group {
  group: string;
  state: string;
  protocol: string;
  generation: number;
  members: { id: string; client: string; host: string; assigned: string[] }[];
  partitions: { topic: string; partition: number; committed: number; end: number; lag: number; lag_ms: number }[];
}
interface Peeked {
  offset: number;
  timestamp: string;
  append_time: string;
  key?: string | null;
  key_hex?: string;
  value?: unknown;
  text?: string | null;
  size: number;
  hex: string;
  headers: { name: string; value?: string | null; value_hex?: string }[];
}

const ends = (topic: Topic) => topic.partitions.reduce((n, p) => n + p.end, 0);
const kept = (topic: Topic) => topic.partitions.reduce((n, p) => n + p.end - p.start, 0);
const size = (topic: Topic) => topic.partitions.reduce((n, p) => n + p.bytes, 0);

// Records a second between the last two answers.
function useRates(topics: Topic[] | null, at: number): Map<string, number> {
  const last = useRef<{ at: number; ends: Map<string, number> } | null>(null);
  const [rates, setRates] = useState(new Map<string, number>());
  useEffect(() => {
    if (!topics) return;
    const now = new Map(topics.map((t) => [t.topic, ends(t)]));
    const before = last.current;
    last.current = { at, ends: now };
    if (!before || at <= before.at) return;
    setRates(new Map([...now].map(([name, end]) => [name, ((end - (before.ends.get(name) ?? end)) * 1000) / (at - before.at)])));
  }, [at]);
  return rates;
}

const retention = (topic: Topic) =>
  topic.retention_ms < 0 && topic.retention_bytes < 0 ? 'everything'
    : [topic.retention_ms >= 0 ? duration(topic.retention_ms) : '', topic.retention_bytes >= 0 ? bytes(topic.retention_bytes) : ''].filter(Boolean).join(' or ');

function Topics() {
  const query = useQuery<{ topics: Topic[] }>('/v1/topics', 2000);
  const { data, problem, at } = query.value;
  const rates = useRates(data?.topics ?? null, at);
  if (problem && !data) return <Trouble problem={problem} again={query.again} />;
  if (!data) return <Loading lines={8} />;
  return (
    <Panel title="Topics" tools={
      <Saves of={() => ({ name: 'adbrook-topics', title: 'Topics',
        columns: ['topic', 'partitions', 'records', 'bytes', 'retention_ms', 'retention_bytes'],
        rows: data.topics.map((t) => [t.topic, t.partitions.length, kept(t), size(t), t.retention_ms, t.retention_bytes]) })} />}>
      <div class="scroll" tabIndex={0} role="region" aria-label="Topics, table">
        <table class="table">
          <thead><tr><th scope="col">Topic</th><NumberHead name="partitions">Partitions</NumberHead><NumberHead name="records">Records</NumberHead>
            <NumberHead name="records_rate">Records / s</NumberHead><NumberHead name="on_disk">On disk</NumberHead><th scope="col">Keeps</th></tr></thead>
          <tbody>{data.topics.map((topic) => (
            <tr key={topic.topic}>
              <th scope="row"><a href={href('topics', {}, topic.topic)}><Text>{topic.topic}</Text></a></th>
              <td class="n">{topic.partitions.length}</td>
              <td class="n" data-topic={topic.topic}>{count(kept(topic))}</td>
              <td class="n">{rates.has(topic.topic) ? rate(rates.get(topic.topic) ?? 0) : '–'}</td>
              <td class="n">{bytes(size(topic))}</td><td>{retention(topic)}</td>
            </tr>
          ))}</tbody>
        </table>
      </div>
    </Panel>
  );
}

interface Change { at: number; group: string; text: string }
const changesMax = 30;

// What is different between two looks at a group, in words.
function changesOf(before: Group | undefined, after: Group): string[] {
  const texts: string[] = before ? [] : ['is here'];
  const names = (g: Group | undefined) => new Map((g?.members ?? []).map((m) => [m.id, m]));
  const [old, now] = [names(before), names(after)];
  for (const [id, m] of now) if (!old.has(id)) texts.push(`${m.client || id} joined`);
  for (const [id, m] of old) if (!now.has(id)) texts.push(`${m.client || id} left`);
  if (before && before.state !== after.state) texts.push(`${before.state} → ${after.state}`);
  if (before && before.generation !== after.generation) texts.push(`rebalanced: generation ${after.generation}`);
  for (const [id, m] of now) {
    const had = old.get(id)?.assigned.join(', ');
    if (had !== undefined && had !== m.assigned.join(', ')) texts.push(`${m.client || id} has ${m.assigned.join(', ') || 'nothing'} now`);
  }
  return texts;
}

// Rebalances as they happen, as long as the screen is open.
function useChanges(groups: Group[] | undefined, at: number): Change[] {
  const last = useRef<Map<string, Group> | null>(null);
  const [changes, setChanges] = useState<Change[]>([]);
  useEffect(() => {
    if (!groups) return;
    const now = new Map(groups.map((g) => [g.group, g]));
    const before = last.current;
    last.current = now;
    if (!before) return;
    const fresh = groups.flatMap((g) => changesOf(before.get(g.group), g).map((text) => ({ at, group: g.group, text })));
    for (const name of before.keys()) if (!now.has(name)) fresh.push({ at, group: name, text: 'is gone' });
    if (fresh.length > 0) setChanges((old) => [...fresh.reverse(), ...old].slice(0, changesMax));
  }, [at]);
  return changes;
}

function Changes({ changes }: { changes: Change[] }) {
  return (
    <Panel title="What has changed" tools={changes.length > 0 && (
      <Saves of={() => ({ name: 'adbrook-group-changes', title: 'What has changed', columns: ['time', 'group', 'change'],
        rows: changes.map((c) => [new Date(c.at).toISOString(), c.group, c.text]) })} />)}>
      {changes.length === 0 ? <p class="note">Members that come and go, and rebalances, are written here as they happen.</p> : (
        <ol class="changes-list" aria-live="polite">{changes.map((c, i) => (
          <li key={`${c.at}-${changes.length - i}`}><time>{time(c.at, 'clock')}</time> <b><Text>{c.group}</Text></b> <Text>{c.text}</Text></li>
        ))}</ol>
      )}
    </Panel>
  );
}

function Groups() {
  const query = useQuery<{ groups: Group[] }>('/v1/groups', 1000);
  const { data, problem, at } = query.value;
  const changes = useChanges(data?.groups, at);
  if (problem && !data) return <Trouble problem={problem} again={query.again} />;
  if (!data) return <Loading />;
  if (data.groups.length === 0)
    return <Panel title="Groups"><Empty title="Nobody reads yet"><p>A group is here once a consumer has joined: <code>adbrook consume impressions --group mine</code></p></Empty></Panel>;
  return (
    <>
      <Changes changes={changes} />
      {data.groups.map((group) => {
        const lag = group.partitions.reduce((n, p) => n + p.lag, 0);
        const behind = Math.max(0, ...group.partitions.map((p) => p.lag_ms));
        return (
          <Panel key={group.group} title={<>Group <Text>{group.group}</Text> <span class={`tag s-${group.state.toLowerCase()}`}>{group.state}</span></>}
            tools={<>
              {group.generation >= 0 && <Term name="generation">generation {count(group.generation)}</Term>}
              <span>{lag === 0 ? 'nothing waits' : `${short(lag)} ${lag === 1 ? 'record' : 'records'}, ${duration(behind)} behind`}</span>
              <Saves of={() => ({ name: `adbrook-group-${group.group}`, title: `Group ${group.group}`,
                columns: ['topic', 'partition', 'position', 'end', 'lag', 'lag_ms'],
                rows: group.partitions.map((p) => [p.topic, p.partition, p.committed, p.end, p.lag, p.lag_ms]) })} />
            </>}>
            {group.members.length > 0 && (
              <ul class="members">{group.members.map((m) => (
                <li key={m.id}><b><Text>{m.client || m.id}</Text></b> <span class="muted"><Text empty="">{m.host}</Text></span>
                  <span class="mono"><Text empty={m.host === 'localhost' && m.client === 'adbrook' ? 'all partitions, inside the engine' : 'nothing assigned'}>{m.assigned.join(', ')}</Text></span></li>
              ))}</ul>
            )}
            <details open={group.partitions.length <= 12}>
              <summary>{group.partitions.length} partitions</summary>
              <div class="scroll tall" tabIndex={0} role="region" aria-label={`Partitions of ${group.group}`}>
                <table class="table">
                  <thead><tr><th scope="col">Partition</th><th scope="col" class="n"><Term name="position">Position</Term></th><NumberHead name="end">End</NumberHead><th scope="col" class="n"><Term name="lag">Lag, records</Term></th><th scope="col" class="n"><Term name="lag_ms">Lag, time</Term></th></tr></thead>
                  <tbody>{group.partitions.map((p) => (
                    <tr key={`${p.topic}-${p.partition}`}><th scope="row"><Text>{`${p.topic}-${p.partition}`}</Text></th>
                      <td class="n">{count(p.committed)}</td><td class="n">{count(p.end)}</td><td class="n">{p.lag > 0 ? <a href={href('topics', { partition: [String(p.partition)], from: [String(p.committed)] }, p.topic)}>{count(p.lag)}</a> : 0}</td><td class="n">{p.lag ? duration(p.lag_ms) : '0'}</td></tr>
                  ))}</tbody>
                </table>
              </div>
            </details>
          </Panel>
        );
      })}
    </>
  );
}

function shownBytes(hex: string): string {
  const pairs = hex.match(/../g) ?? [];
  const lines: string[] = [];
  for (let i = 0; i < pairs.length; i += 16) {
    const row = pairs.slice(i, i + 16);
    const ascii = row.map((p) => { const c = parseInt(p, 16); return c >= 32 && c < 127 ? String.fromCharCode(c) : '.'; }).join('');
    lines.push(`${i.toString(16).padStart(6, '0')}  ${row.join(' ').padEnd(47)}  ${ascii}`);
  }
  return lines.join('\n');
}

// Avro writes 16 raw bytes as 16 characters; under the name of an id they are shown as ids are.
function withIds(name: string, value: unknown): unknown {
  if (typeof value !== 'string' || !/^[\u0000-\u00ff]{16}$/.test(value) || !/uuid|id$/i.test(name)) return value;
  const hex = Array.from(value, (c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

// What tells records apart at a glance: not the key and the time, which stand beside it.
function previewOf(record: Peeked, decoded: string): string {
  if (typeof record.value !== 'object' || record.value === null) return decoded.replace(/\s+/g, ' ').slice(0, 160);
  const told = Object.entries(record.value).filter(([name, value]) => value !== null && name !== 'uuid' && name !== 'timestamp');
  return told.map(([name, value]) => `${name} ${typeof value === 'string' ? withIds(name, value) : JSON.stringify(value)}`).join(' · ').slice(0, 160);
}

function RecordView({ record }: { record: Peeked }) {
  const [form, setForm] = useState<'decoded' | 'raw'>('decoded');
  const id = typeof record.value === 'object' && record.value !== null
    ? String(withIds('uuid', (record.value as Record<string, unknown>)['uuid']) ?? '') : '';
  const decoded = record.value !== undefined ? JSON.stringify(record.value, withIds, 2) : (record.text ?? '(no value)');
  return (
    <li class="record">
      <details>
        <summary><b class="mono n">{record.offset}</b> <span class="muted">{time(record.timestamp)}</span>{' '}
          <span class="mono one-line"><Text empty="no key">{record.key ?? record.key_hex}</Text></span> <span class="muted n">{bytes(record.size)}</span>
          <span class="mono muted one-line preview"><Text empty="">{previewOf(record, decoded)}</Text></span></summary>
        <div class="row">
          <Choice label="Shown" value={form} options={[['decoded', 'Decoded'], ['raw', 'Raw']]} onChoose={setForm} />
          <span class="muted">taken {time(record.append_time)}</span>
          {id && <a href={href('event', {}, id)}>its life</a>}
        </div>
        <pre class="bytes" tabIndex={0}>{form === 'decoded' ? decoded : shownBytes(record.hex)}</pre>
        {form === 'raw' && record.size * 2 > record.hex.length && <p class="note">The first {bytes(record.hex.length / 2)} of {bytes(record.size)}.</p>}
        {record.headers.length > 0 && <ul class="pairs">{record.headers.map((h, i) => <li key={i}><span class="muted"><Text>{h.name}</Text></span> <Text>{h.value ?? h.value_hex}</Text></li>)}</ul>}
      </details>
    </li>
  );
}

function Peek({ topic }: { topic: string }) {
  const partition = param('partition', '0');
  const from = param('from', 'newest');
  const live = from === 'live';
  const kind = live || from === 'newest' || from === 'beginning' ? from : from.startsWith('@') ? 'time' : 'offset';
  const topics = useQuery<{ topics: Topic[] }>('/v1/topics');
  const query = useQuery<{ start: number; end: number; next: number; records: Peeked[] }>(
    `/v1/topics/${encodeURIComponent(topic)}/records?${new URLSearchParams({ partition, from: live ? 'newest' : from, limit: '50' })}`, live ? 1000 : 0);
  const found = topics.value.data?.topics.find((t) => t.topic === topic);
  const { data, problem } = query.value;
  const records = data ? (from === 'newest' || live ? [...data.records].reverse() : data.records) : [];
  return (
    <div class="stack">
      <p><a href={href('topics')}>← All topics</a></p>
      <Panel title={<>Records of <Text>{topic}</Text></>} tools={data && <>
        <span>offsets {count(data.start)} to {count(data.end)}</span>
        <Saves of={() => ({ name: `adbrook-${topic}-${partition}`, title: `Records of ${topic}, partition ${partition}`,
          columns: ['offset', 'timestamp', 'key', 'size', 'value'], rows: records.map((r) => [r.offset, r.timestamp, r.key ?? r.key_hex ?? '', r.size,
            r.value !== undefined ? JSON.stringify(r.value, withIds) : (r.text ?? r.hex)]) })} />
      </>}>
        <div class="row">
          <label class="inline"><span class="muted">Partition</span>
            <select class="field" value={partition} onChange={(e) => setParams({ partition: [e.currentTarget.value] })}>
              {(found?.partitions ?? [{ partition: 0 }]).map((p) => <option key={p.partition}>{p.partition}</option>)}
            </select></label>
          <Choice label="Begin at" value={kind} onChoose={(k) => setParams({ from: [k === 'offset' ? String(data?.start ?? 0) : k === 'time' ? `@${new Date(Date.now() - 3_600_000).toISOString()}` : k] })}
            options={[['newest', 'Newest'], ['beginning', 'Beginning'], ['offset', 'Offset'], ['time', 'Time'], ['live', 'Live']]} />
          {(kind === 'offset' || kind === 'time') && (
            kind === 'offset'
              ? <input class="field" aria-label="Offset" inputMode="numeric" value={from} onChange={(e) => setParams({ from: [e.currentTarget.value] })} />
              : <input class="field" type="datetime-local" aria-label={`Time, ${zone.value}`} value={zoned(Date.parse(from.slice(1)) || Date.now())}
                onChange={(e) => { const at = fromZoned(e.currentTarget.value); if (Number.isFinite(at)) setParams({ from: [`@${new Date(at).toISOString()}`] }, 'replace'); }} />
          )}
        </div>
        {problem && <Trouble problem={problem} again={query.again} />}
        {!data ? !problem && <Loading /> : records.length === 0 ? <Empty title="Nothing here"><p>Begin elsewhere, or choose another partition.</p></Empty>
          : <ol class="records">{records.map((r) => <RecordView key={r.offset} record={r} />)}</ol>}
        {data && kind !== 'newest' && !live && data.next < data.end && (
          <p class="foot"><button type="button" class="link" onClick={() => setParams({ from: [String(data.next)] })}>Next records</button></p>)}
      </Panel>
    </div>
  );
}

export function TopicsScreen() {
  const topic = route.value.rest;
  if (topic) return <Peek topic={topic} key={topic} />;
  return <div class="stack"><Topics /><Groups /></div>;
}
