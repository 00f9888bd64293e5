// The events behind one number: every impression and click that counts in a cell.
import { useQuery } from './api';
import { count, country, time } from './format';
import { Empty, Loading, Panel, Text, Trouble } from './parts';
import { href, param, setParams } from './router';
import { Saves } from './saves';
import { dimensionTitle } from './views';

interface CellEvent {
  uuid: string;
  timestamp: string;
  impressionId?: string | null;
  topic?: string;
  partition?: number;
  offset?: number;
}
interface CellEvents {
  view: string;
  from: string;
  to: string;
  where: Record<string, string>;
  impressions: CellEvent[];
  clicks: CellEvent[];
  more_impressions: boolean;
  more_clicks: boolean;
}

function place(event: CellEvent): string {
  return event.topic === undefined ? '' : `${event.topic}-${event.partition} @ ${event.offset}`;
}

function outcomeOf(event: CellEvent): string {
  return event.impressionId === undefined ? 'counted' : event.impressionId ? 'joined' : 'unlinked';
}

function Events(props: { title: string; events: CellEvent[]; more: boolean; limit: number }) {
  const { events } = props;
  return (
    <Panel title={`${props.title}: ${count(events.length)}${props.more ? ', and more' : ''}`}
      tools={events.length > 0 && (
        <Saves of={() => ({ name: `adbrook-${props.title.toLowerCase()}`, title: `${props.title} of a report cell`,
          columns: ['uuid', 'timestamp', 'outcome', 'impressionId', 'place'], notes: [param('cell')],
          rows: events.map((e) => [e.uuid, e.timestamp, outcomeOf(e), e.impressionId ?? '', place(e)]) })} />)}>
      {events.length === 0 ? <Empty title={`No ${props.title.toLowerCase()} in this cell`} /> : (
        <div class="scroll tall" tabIndex={0} role="region" aria-label={`${props.title}, table`}>
          <table class="table">
            <thead><tr><th scope="col">Id</th><th scope="col">Outcome</th><th scope="col">Why</th><th scope="col">When it happened</th><th scope="col">Where it lies</th></tr></thead>
            <tbody>
              {events.map((event) => (
                <tr key={event.uuid}>
                  <th scope="row" class="mono"><a href={href('event', {}, event.uuid)}>{event.uuid}</a></th>
                  <td><b class={`outcome o-${outcomeOf(event)}`}>{outcomeOf(event)}</b></td>
                  <td>{event.impressionId ? <>with <a class="mono" href={href('event', {}, event.impressionId)}>{event.impressionId.slice(0, 8)}…</a></>
                    : event.impressionId === null ? 'names no impression' : 'first of its id'}</td>
                  <td>{time(event.timestamp)}</td>
                  <td class="mono muted">{place(event)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {props.more && props.limit < 10_000 && (
        <p class="foot"><button type="button" class="link" onClick={() => setParams({ limit: [String(props.limit * 10)] }, 'replace')}>
          Show up to {count(props.limit * 10)}</button></p>
      )}
    </Panel>
  );
}

export function CellScreen() {
  const cell = param('cell');
  const limit = Math.min(10_000, Math.max(1, Number(param('limit', '100')) || 100));
  const query = useQuery<CellEvents>(cell ? `/v1/events?${new URLSearchParams({ cell, limit: String(limit) })}` : null);
  const { data, problem } = query.value;
  if (!cell) return <Empty title="No cell is named"><p>Open a number on <a href="#/overview">Overview</a>.</p></Empty>;
  if (problem && !data) return <Trouble problem={problem} again={query.again} />;
  if (!data) return <><p class="note">Reading the topics …</p><Loading lines={8} /></>;
  const where = Object.entries(data.where);
  return (
    <div class="stack">
      <ul class="chips" aria-label="The cell">
        <li><span class="muted">View</span> {data.view}</li>
        <li><span class="muted">From</span> {time(data.from)}</li>
        <li><span class="muted">To</span> {time(data.to)}</li>
        {where.map(([name, value]) => (
          <li key={name}><span class="muted">{dimensionTitle(name)}</span>{' '}
            <Text>{name === 'country' ? country(value) : value}</Text></li>
        ))}
      </ul>
      <Events title="Impressions" events={data.impressions} more={data.more_impressions} limit={limit} />
      <Events title="Clicks" events={data.clicks} more={data.more_clicks} limit={limit} />
      <p class="note">What retention has removed from the topics still counts in the cell, but is not listed.</p>
    </div>
  );
}
