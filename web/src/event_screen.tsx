// The whole life of one event: what it said, where it came in, how it ended, and where it counts.
import { useQuery } from './api';
import { duration, time } from './format';
import { CodeBlock, Empty, Loading, Panel, Text, Trouble } from './parts';
import { href, route } from './router';
import { Saves } from './saves';
import { dimensionTitle } from './views';

interface Copy {
  topic: string;
  partition: number;
  offset: number;
  append_time: string;
  timestamp: string | null;
  outcome: string;
  reason: string | null;
  sent_through?: { topic: string; partition: number };
  dead_letter?: string;
}
interface Kind {
  kind: string;
  outcome: string;
  reason: string | null;
  copies: Copy[];
  more_copies: boolean;
  impression?: { uuid: string; found: boolean; timestamp: string | null; outcome: string | null; reason: string | null; delay_ms: number | null };
  clicks?: { uuid: string; timestamp: string; delay_ms: number }[];
  more_clicks?: boolean;
  summary_written?: boolean;
  unique_click?: boolean;
  cells: { view: string; bucket: string; bucket_size: string; key: Record<string, string>; cell: string }[];
  event: Record<string, unknown> | null;
}
interface Life extends Kind {
  uuid: string;
  same_id?: Kind;
}

const Outcome = ({ name, reason }: { name: string; reason: string | null }) => (
  <><b class={`outcome o-${name}`}>{name}</b>{reason && <span class="muted"> ({reason})</span>}</>
);

function Steps({ life }: { life: Kind }) {
  return (
    <ol class="steps">
      {life.event?.['timestamp'] != null && (
        <li><b>It happened</b><time>{time(String(life.event['timestamp']))}</time></li>
      )}
      {life.impression && (
        <li><b>It names an impression</b>
          <span class="mono"><a href={href('event', {}, life.impression.uuid)}>{life.impression.uuid}</a></span>
          <span>{life.impression.found
            ? <>shown {life.impression.delay_ms === null ? '' : duration(life.impression.delay_ms)} earlier, <Outcome name={life.impression.outcome ?? ''} reason={life.impression.reason} /></>
            : 'which is not known'}</span></li>
      )}
      {life.copies.map((copy) => (
        <li key={`${copy.topic}-${copy.partition}-${copy.offset}`}>
          <b>The log took {life.copies.length > 1 ? 'a copy' : 'it'}</b>
          <time>{time(copy.append_time)}</time>
          <span class="mono">{copy.topic}, partition {copy.partition}, offset {copy.offset}</span>
          {copy.sent_through && <span>sent on through {copy.sent_through.topic}</span>}
          <span>ended as <Outcome name={copy.outcome} reason={copy.reason} /></span>
        </li>
      ))}
      {life.clicks?.map((click) => (
        <li key={click.uuid}><b>It was clicked</b><time>{time(click.timestamp)}</time>
          <span class="mono"><a href={href('event', {}, click.uuid)}>{click.uuid}</a></span>
          <span>{duration(click.delay_ms)} later</span></li>
      ))}
      {life.summary_written && <li><b>Its window has closed</b><span>its summary is final</span></li>}
    </ol>
  );
}

function KindView({ life }: { life: Kind }) {
  const fields = Object.entries(life.event ?? {});
  return (
    <div class="event-grid">
      <Panel title="Its life"><Steps life={life} /></Panel>
      <Panel title="What it said">
        {fields.length === 0 ? <Empty title="Its bytes cannot be read" /> : (
          <dl class="fields">
            {fields.map(([name, value]) => (
              <div key={name}><dt>{name}</dt>
                <dd><Text>{typeof value === 'object' ? JSON.stringify(value) : value}</Text></dd></div>
            ))}
          </dl>
        )}
      </Panel>
      <Panel title="Where it counts" class="wide" tools={life.cells.length > 0 && (
        <Saves of={() => ({ name: 'adbrook-event-cells', title: 'Where the event counts', columns: ['view', 'bucket', 'bucket_size', 'key'],
          rows: life.cells.map((c) => [c.view, c.bucket, c.bucket_size, Object.entries(c.key).map((pair) => pair.join('=')).join(', ')]) })} />)}>
        {life.cells.length === 0 ? <Empty title="It counts in no report"><p>Its outcome says why.</p></Empty> : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Report cells, table">
            <table class="table stacks">
              <thead><tr><th scope="col">View</th><th scope="col">Bucket</th><th scope="col">Key</th><th scope="col">Events in it</th></tr></thead>
              <tbody>
                {life.cells.map((cell) => (
                  <tr key={cell.view}>
                    <th scope="row">{cell.view}</th>
                    <td>{time(cell.bucket, 'dayAndMinute')}, {cell.bucket_size}</td>
                    <td class="says"><ul class="pairs">{Object.entries(cell.key).map(([name, value]) => (
                      <li key={name}><span class="muted">{dimensionTitle(name)}</span> <Text>{value}</Text></li>))}</ul></td>
                    <td><a href={href('cell', { cell: [cell.cell] })}>open</a></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Panel>
    </div>
  );
}

export function EventScreen() {
  const id = route.value.rest;
  const query = useQuery<Life>(id ? `/v1/events/${encodeURIComponent(id)}` : null);
  const { data, problem } = query.value;
  if (!id) return <Empty title="No event is named"><p>Press <kbd>Ctrl K</kbd> and type its id.</p></Empty>;
  if (problem && !data)
    return problem.status === 404
      ? <Empty title="There is no event of this id"><p>{problem.message}</p></Empty>
      : <Trouble problem={problem} again={query.again} />;
  if (!data || data.uuid.replaceAll('-', '') !== id.toLowerCase().replaceAll('-', ''))
    return <><p class="note">Looking through the topics …</p><Loading lines={8} /></>;
  return (
    <div class="stack">
      <Panel title={<>{data.kind === 'click' ? 'Click' : 'Impression'}: <Outcome name={data.outcome} reason={data.reason} />
        {data.unique_click && <span class="tag">the unique click</span>}</>}>
        <p class="mono id">{data.uuid}</p>
      </Panel>
      <KindView life={data} />
      {data.same_id && <><h2 class="between">Under the same id: {data.same_id.kind}</h2><KindView life={data.same_id} /></>}
      <Panel title="The same on the command line"><CodeBlock>{`adbrook event ${data.uuid}`}</CodeBlock></Panel>
    </div>
  );
}
