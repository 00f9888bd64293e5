// The engine itself: whether it is well, what it runs with, and how much room is left.
import { useQuery } from './api';
import { bytes, count, duration, time } from './format';
import { frame, now } from './live';
import { Empty, Loading, Panel, Text, Trouble } from './parts';
import { param, setParams } from './router';
import { Saves } from './saves';

interface System {
  version: string;
  started: string;
  ready: boolean;
  waits_for: string[];
  data: string;
  topic_bytes: number;
  free_bytes: number | null;
  tasks: { state: string; trouble: string }[];
  versions: { name: string; version: string }[];
  settings: { key: string; value: string; default: string; about: string }[];
}

interface Check { name: string; good: boolean; says: string }
const roomMin = 2 ** 30;

function checksOf(system: System, behind: number): Check[] {
  const log = system.waits_for.find((why) => why.startsWith('the log'));
  const full = system.waits_for.find((why) => why.startsWith('the disk'));
  const free = system.free_bytes;
  return [
    { name: 'the log takes appends', good: !log && !full, says: log ?? (full ? 'no, for want of room' : 'yes') },
    { name: 'there is room on disk', good: !full && (free === null || free >= roomMin),
      says: full ?? (free === null ? 'not known' : free < roomMin ? `${bytes(free)}, nearly full` : bytes(free)) },
    ...system.tasks.map((task, i) => ({ name: `task ${i}`, good: task.state === 'running',
      says: task.trouble ? `${task.state}: ${task.trouble}` : task.state })),
    { name: 'what came is counted', good: behind < 100_000, says: behind === 0 ? 'all of it' : behind === 1 ? '1 record waits' : `${count(behind)} records wait` },
  ];
}

function Checks({ system }: { system: System }) {
  const checks = checksOf(system, frame.value?.behind ?? 0);
  return (
    <Panel title="Health checks" class="checks" tools={<Saves of={() => ({ name: 'adbrook-health', title: 'Health checks',
      columns: ['check', 'good', 'says'], rows: checks.map((c) => [c.name, c.good ? 'yes' : 'no', c.says]) })} />}>
      <dl class="fields">{checks.map((check) => (
        <div key={check.name}><dt>{check.name}</dt>
          <dd><b class={`outcome ${check.good ? 's-good' : 'o-rejected'}`}><span aria-hidden="true">{check.good ? '✓' : '✗'}</span> <Text>{check.says}</Text></b></dd></div>
      ))}</dl>
    </Panel>
  );
}

export function SystemScreen() {
  const query = useQuery<System>('/v1/system', 3000);
  const wanted = param('find');
  const { data, problem } = query.value;
  if (problem && !data) return <Trouble problem={problem} again={query.again} />;
  if (!data) return <Loading lines={8} />;
  const settings = data.settings.filter((s) => `${s.key} ${s.about}`.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <div class="stack">
      {data.ready ? <p class="verdict good"><b>Ready.</b> The log takes appends and every task runs.</p>
        : <div class="verdict bad" role="alert"><b>Not ready.</b><ul>{data.waits_for.map((why) => <li key={why}>{why}</li>)}</ul></div>}
      <div class="event-grid">
        <Checks system={data} />
        <Panel title="The engine">
          <dl class="fields">
            <div><dt>version</dt><dd>{data.version}</dd></div>
            <div><dt>started</dt><dd>{time(data.started)}, {duration(Math.max(0, now.value - Date.parse(data.started)))} ago</dd></div>
            <div><dt>data</dt><dd class="mono"><Text>{data.data}</Text></dd></div>
            <div><dt>topics on disk</dt><dd>{bytes(data.topic_bytes)}</dd></div>
            <div><dt>free on disk</dt><dd>{data.free_bytes === null ? 'not known' : bytes(data.free_bytes)}</dd></div>
            {data.versions.map((v) => <div key={v.name}><dt>{v.name}</dt><dd><Text>{v.version}</Text></dd></div>)}
          </dl>
        </Panel>
      </div>
      <Panel title="Settings in force" tools={<>
        <Saves of={() => ({ name: 'adbrook-settings', title: 'Settings in force', columns: ['key', 'value', 'default', 'about'],
          rows: settings.map((s) => [s.key, s.value, s.default, s.about]) })} />
        <input class="field" type="search" placeholder="Find a setting" aria-label="Find a setting" value={wanted} onInput={(e) => setParams({ find: [e.currentTarget.value] }, 'replace')} />
      </>}>
        <p class="note">No setting holds a secret: keys lie in files of the data directory and are never shown.</p>
        {settings.length === 0 ? <Empty title="No setting of this name" /> : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Settings, table">
            <table class="table settings">
              <thead><tr><th scope="col">Key</th><th scope="col">Value</th><th scope="col">What it does</th></tr></thead>
              <tbody>{settings.map((s) => (
                <tr key={s.key}><th scope="row" class="mono"><Text>{s.key}</Text></th>
                  <td class="mono"><Text empty="–">{s.value}</Text>{s.value !== s.default && <span class="tag">default {s.default || '–'}</span>}</td>
                  <td class="muted">{s.about}</td></tr>
              ))}</tbody>
            </table>
          </div>
        )}
      </Panel>
    </div>
  );
}
