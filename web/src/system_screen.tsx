// The engine itself: whether it is well, what it runs with, and how much room is left.
import { useState } from 'preact/hooks';
import { useQuery } from './api';
import { bytes, duration, time } from './format';
import { now } from './live';
import { Empty, Loading, Panel, Text, Trouble } from './parts';

interface System {
  version: string;
  started: string;
  ready: boolean;
  waits_for: string[];
  data: string;
  topic_bytes: number;
  free_bytes: number | null;
  tasks: { state: string; trouble: string }[];
  settings: { key: string; value: string; default: string; about: string }[];
}

export function SystemScreen() {
  const query = useQuery<System>('/v1/system', 3000);
  const [wanted, setWanted] = useState('');
  const { data, problem } = query.value;
  if (problem && !data) return <Trouble problem={problem} again={query.again} />;
  if (!data) return <Loading lines={8} />;
  const settings = data.settings.filter((s) => `${s.key} ${s.about}`.toLowerCase().includes(wanted.toLowerCase()));
  const low = data.free_bytes !== null && data.free_bytes < 2 ** 30;
  return (
    <div class="stack">
      {data.ready ? <p class="verdict good"><b>Ready.</b> The log takes appends and every task runs.</p>
        : <div class="verdict bad" role="alert"><b>Not ready.</b><ul>{data.waits_for.map((why) => <li key={why}>{why}</li>)}</ul></div>}
      <div class="event-grid">
        <Panel title="The engine">
          <dl class="fields">
            <div><dt>version</dt><dd>{data.version}</dd></div>
            <div><dt>started</dt><dd>{time(data.started)}, {duration(Math.max(0, now.value - Date.parse(data.started)))} ago</dd></div>
            <div><dt>data</dt><dd class="mono"><Text>{data.data}</Text></dd></div>
            <div><dt>topics on disk</dt><dd>{bytes(data.topic_bytes)}</dd></div>
            <div><dt>free on disk</dt><dd>{data.free_bytes === null ? 'not known' : bytes(data.free_bytes)}{low && <b class="outcome o-rejected"> nearly full</b>}</dd></div>
          </dl>
        </Panel>
        <Panel title="Tasks">
          <dl class="fields">{data.tasks.map((task, i) => (
            <div key={i}><dt>task {i}</dt><dd><b class={`outcome ${task.state === 'running' ? 's-good' : 'o-rejected'}`}>{task.state}</b>{task.trouble && <> <Text>{task.trouble}</Text></>}</dd></div>
          ))}</dl>
        </Panel>
      </div>
      <Panel title="Settings in force" tools={
        <input class="field" type="search" placeholder="Find a setting" aria-label="Find a setting" value={wanted} onInput={(e) => setWanted(e.currentTarget.value)} />}>
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
