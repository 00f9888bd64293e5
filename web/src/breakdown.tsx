// A table with bars for every dimension, and one for the hours of the day. A click filters, a number
// opens.
import { type Report, type ReportRow, reportPath, useQuery } from './api';
import { downloadCsv } from './csv';
import { shownValue, toggleFilter } from './filters';
import { count, interval, none, percent, short, time, zone } from './format';
import { Empty, Loading, NumberHead, Panel, Text, Trouble } from './parts';
import type { Period } from './period';
import { downloadBars } from './picture';
import { href, param, setParams } from './router';
import { cellText, day, type Dimension, dimensionTitle, hour, minute, splitFilter, viewFor } from './views';

const rowsShown = 8;
const rowsMax = 500;

interface Asked {
  period: Period;
  where: string[];
  poll: number;
}

const columns = ['Impressions', 'Clicks', 'CTR'];
const heads = () => columns.map((c) => <NumberHead name={c.toLowerCase()} key={c}>{c}</NumberHead>);
const numbersOf = (row: { impressions: number; clicks: number; ctr: number | null }) =>
  [short(row.impressions), short(row.clicks), percent(row.ctr)];

function spanText(period: Period): string {
  return `${time(period.from, 'dayAndMinute')} – ${time(period.to, 'dayAndMinute')}, ${zone.value}`;
}

function Numbers({ row, cell }: { row: ReportRow | Hour; cell: string | null }) {
  const address = cell && href('cell', { cell: [cell] });
  const unique = 'unique_ctr' in row ? `unique CTR 95 %: ${interval(row.unique_ctr_low, row.unique_ctr_high)}` : undefined;
  return (
    <>
      {numbersOf(row).map((text, i) => (
        <td class="n" key={i} title={i === 2 ? unique : undefined}>
          {address && text !== none ? <a href={address} aria-label={`${text} ${columns[i]}: the events behind it`}>{text}</a> : text}
        </td>
      ))}
    </>
  );
}

function BreakdownRows(props: { dimension: Dimension; rows: ReportRow[]; period: Period; where: string[] }) {
  const { dimension, rows, period, where } = props;
  const most = Math.max(1, ...rows.map((row) => row.impressions));
  const others = where.filter((f) => splitFilter(f)[0] !== dimension.name);
  return (
    <table class="table bars">
      <thead>
        <tr><th scope="col">{dimension.one}</th>{heads()}</tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const value = String(row[dimension.name] ?? '');
          const chosen = where.includes(`${dimension.name}=${value}`);
          return (
            <tr key={value} class={chosen ? 'chosen' : ''}>
              <th scope="row">
                <i class="bar" style={{ width: `${(100 * row.impressions) / most}%` }} aria-hidden="true" />
                <button type="button" aria-pressed={chosen} title="Filter by this"
                  onClick={() => toggleFilter(dimension.name, value)}>
                  <Text empty="none">{shownValue(dimension.name, value)}</Text>
                </button>
              </th>
              <Numbers row={row} cell={cellText(period.from, period.to, [...others, `${dimension.name}=${value}`])} />
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

// Which filters stand in the way of this table, in words.
function NotKept({ dimension, others }: { dimension: Dimension; others: string[] }) {
  const names = others.map((d) => dimensionTitle(d).toLowerCase()).join(' and ');
  return (
    <Empty title={`Not kept by ${names}`}>
      <p>No view counts {dimension.title.toLowerCase()} together with {names}.</p>
      <button type="button" class="link" onClick={() => setParams({ where: [] })}>
        Take the {others.length > 1 ? 'filters' : 'filter'} away</button>
    </Empty>
  );
}

export function Breakdown(props: Asked & { dimension: Dimension }) {
  const { dimension, period } = props;
  // A table shows its own dimension whole, with the chosen row marked.
  const where = props.where.filter((f) => splitFilter(f)[0] !== dimension.name);
  const view = viewFor([dimension.name, ...where.map((f) => splitFilter(f)[0])]);
  const all = param('all') === dimension.name;
  const sort = param('sort') === 'clicks' || param('sort') === 'ctr' ? param('sort') : 'impressions';
  const grain = view?.grain ?? minute;
  const from = Math.floor(period.from / grain) * grain;
  const to = Math.ceil(period.to / grain) * grain;
  const whole = { ...period, from, to };
  const question = { by: [dimension.name], from, to, where, sort };
  const query = useQuery<Report>(view ? reportPath({ ...question, limit: all ? rowsMax : rowsShown }) : null, props.poll * 2);
  const rows = query.value.data?.rows ?? [];
  const total = query.value.data?.row_count ?? 0;
  const picture = () => {
    const most = Math.max(1, ...rows.map((row) => row.impressions));
    downloadBars(`adbrook-${dimension.name}.png`, {
      title: dimension.title, columns, note: [spanText(whole), ...where].join(' · '),
      bars: rows.map((row) => ({ share: row.impressions / most, numbers: numbersOf(row),
        name: shownValue(dimension.name, String(row[dimension.name] ?? '')) || 'none' })),
    });
  };
  return (
    <Panel title={dimension.title} class="breakdown"
      tools={view && rows.length > 0 && <>
        <a class="button small" download={`adbrook-${dimension.name}.csv`}
          href={`${reportPath({ ...question, limit: 100_000 })}&format=csv`}>CSV</a>
        <button type="button" class="button small" onClick={picture}>PNG</button>
      </>}>
      {!view ? (
        <NotKept dimension={dimension} others={where.map((f) => splitFilter(f)[0])} />
      ) : query.value.problem && !query.value.data ? (
        <Trouble problem={query.value.problem} again={query.again} />
      ) : !query.value.data ? (
        <Loading />
      ) : rows.length === 0 ? (
        <Empty title="Nothing in this period" />
      ) : (
        <>
          <div class="scroll"><BreakdownRows dimension={dimension} rows={rows} period={whole} where={props.where} /></div>
          <p class="foot">
            {(total > rowsShown || all) && (
              <button type="button" class="link" onClick={() => setParams({ all: all ? [] : [dimension.name] }, 'replace')}>
                {all ? 'Show fewer' : `Show ${total > rowsMax ? `${rowsMax} of ` : 'all '}${count(total)}`}
              </button>
            )}
            {(from !== period.from || to !== period.to) && (
              <span class="muted">whole hours, from {time(from, 'dayAndMinute')}</span>
            )}
          </p>
        </>
      )}
    </Panel>
  );
}

interface Hour {
  impressions: number;
  clicks: number;
  joined: number;
  ctr: number | null;
  rows: ReportRow[];
}
const hourName = (i: number) => `${String(i).padStart(2, '0')}:00`;

function hoursOf(rows: ReportRow[]): Hour[] {
  const hours: Hour[] = Array.from({ length: 24 }, () => ({ impressions: 0, clicks: 0, joined: 0, ctr: null, rows: [] }));
  for (const row of rows) {
    const at = hours[Number(time(String(row.bucket), 'minute').slice(0, 2)) % 24];
    if (!at) continue;
    at.impressions += row.impressions;
    at.clicks += row.clicks;
    at.joined += Math.round((row.ctr ?? 0) * row.impressions);
    at.rows.push(row);
  }
  for (const at of hours) at.ctr = at.impressions > 0 ? at.joined / at.impressions : null;
  return hours;
}

// One hour of the day on each of its days.
function HourDays({ hour: chosen, where }: { hour: Hour; where: string[] }) {
  if (chosen.rows.length === 0) return <p class="note">Nothing at this hour.</p>;
  return (
    <div class="scroll">
      <table class="table">
        <thead><tr><th scope="col">Day</th>{heads()}</tr></thead>
        <tbody>{chosen.rows.slice(-rowsShown).reverse().map((row) => {
          const begin = Date.parse(String(row.bucket));
          return (
            <tr key={begin}><th scope="row">{time(begin, 'dayAndMinute')}</th>
              <Numbers row={row} cell={cellText(begin, begin + hour, where)} /></tr>
          );
        })}</tbody>
      </table>
    </div>
  );
}

// Hours of the day in the zone that is shown; one of them opens to its days.
export function Hours({ period, where, poll }: Asked) {
  const usable = period.bucket !== '1d' || Date.now() - period.from < 60 * day;
  const from = Math.floor(period.from / hour) * hour;
  const to = Math.ceil(period.to / hour) * hour;
  const query = useQuery<Report>(
    usable && viewFor(where.map((f) => splitFilter(f)[0])) ? reportPath({ from, to, bucket: '1h', where }) : null, poll * 2);
  const hours = hoursOf(query.value.data?.rows ?? []);
  const most = Math.max(1, ...hours.map((h) => h.impressions));
  const asked = Number(param('hour', '-1'));
  const chosen = hours[asked];
  const csv = () => downloadCsv('adbrook-hours.csv', ['hour', 'impressions', 'clicks', 'ctr'],
    hours.map((h, i) => [hourName(i), h.impressions, h.clicks, h.ctr]), [`zone: ${zone.value}`, ...where]);
  const picture = () => downloadBars('adbrook-hours.png', {
    title: `Hours of the day, ${zone.value}`, columns, note: [spanText({ ...period, from, to }), ...where].join(' · '),
    bars: hours.map((h, i) => ({ name: hourName(i), share: h.impressions / most, numbers: numbersOf(h) })),
  });
  return (
    <Panel title="Hours of the day" class="breakdown wide"
      tools={query.value.data && <>
        <span>{zone.value}</span>
        <button type="button" class="button small" onClick={csv}>CSV</button>
        <button type="button" class="button small" onClick={picture}>PNG</button>
      </>}>
      {!usable ? <Empty title="Hours are kept for 62 days"><p>Choose a shorter period.</p></Empty>
        : query.value.problem && !query.value.data ? <Trouble problem={query.value.problem} again={query.again} />
        : !query.value.data ? <Loading /> : (
          <>
            <ol class="hours" aria-label="Impressions by hour of the day">
              {hours.map((h, i) => {
                const text = `${hourName(i)}: ${count(h.impressions)} impressions, ${count(h.clicks)} clicks, CTR ${percent(h.ctr)}`;
                return (
                  <li key={i}>
                    <button type="button" aria-pressed={asked === i} aria-label={text} title={text}
                      onClick={() => setParams({ hour: asked === i ? [] : [String(i)] }, 'replace')}>
                      <span style={{ height: `${Math.max(h.impressions ? 2 : 0, (100 * h.impressions) / most)}%` }} />
                    </button>
                    <b aria-hidden="true">{i % 6 === 0 ? String(i).padStart(2, '0') : ''}</b>
                  </li>
                );
              })}
            </ol>
            <p class="hours-scale muted">the highest is {short(most)} impressions{chosen ? '' : '; choose an hour to see its days'}</p>
            {chosen && <HourDays hour={chosen} where={where} />}
          </>
        )}
    </Panel>
  );
}
