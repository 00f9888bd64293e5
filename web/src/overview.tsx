// How campaigns do: cards, the rate over time, and a table for every dimension. Everything that is
// chosen stands in the address.
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import {
  type Query, type Report, type ReportRow, reportPath, spendOf, useQuery,
} from './api';
import { Breakdown, Hours } from './breakdown';
import { Chart, type Points } from './chart';
import { downloadCsv } from './csv';
import { filters, shownValue, toggleFilter } from './filters';
import {
  change, count, fromZoned, interval, moneyList, none, percent, time, zone, zoned,
} from './format';
import { now as clock } from './live';
import { Choice, Delta, Empty, Loading, NumberHead, Panel, Term, Text, Trouble, ZoneSelect } from './parts';
import {
  type Compare, comparisonOf, currentPeriod, type Extent, extentOf, move, type Period, periods,
  periodTitles, scale, setPeriod, setRange,
} from './period';
import { downloadLayers } from './picture';
import { go, href, param, setParams } from './router';
import {
  cellText, day, dimensions, dimensionTitle, hour, minute, splitFilter, viewFor,
} from './views';

const refresh = 5000;
const rowsMax = 500;
const metrics = [
  ['unique_ctr', 'Unique CTR'], ['ctr', 'CTR'], ['impressions', 'Impressions'], ['clicks', 'Clicks'],
] as const;
type Metric = (typeof metrics)[number][0];

function Filters() {
  const where = filters();
  if (where.length === 0) return null;
  return (
    <ul class="chips" aria-label="Filters">
      {where.map((filter) => {
        const [dimension, value] = splitFilter(filter);
        return (
          <li key={filter}>
            <span class="muted">{dimensionTitle(dimension)}</span>{' '}
            <Text empty="none">{shownValue(dimension, value)}</Text>
            <button type="button" aria-label={`Remove the filter ${dimensionTitle(dimension)} ${value}`}
              onClick={() => toggleFilter(dimension, value)}>×</button>
          </li>
        );
      })}
      <li class="clear">
        <button type="button" onClick={() => setParams({ where: [] })}>Clear <kbd>Esc</kbd></button>
      </li>
    </ul>
  );
}

function compareValue(): Compare {
  const value = param('compare', 'previous');
  return value === 'none' || value === 'week' ? value : 'previous';
}

// Any begin and end, in the zone that is shown.
function RangeForm({ period }: { period: Period }) {
  const box = useRef<HTMLDetailsElement>(null);
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [begin, end] = [fromZoned(from), fromZoned(to)];
  const wrong = !Number.isFinite(begin) || !Number.isFinite(end) ? 'Both are needed.'
    : begin >= end ? 'The begin must be before the end.' : '';
  return (
    <details class="popover" ref={box}
      onToggle={() => {
        setFrom(zoned(period.from));
        setTo(zoned(period.to));
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !box.current?.open) return;
        event.stopPropagation();
        box.current.open = false;
        box.current.querySelector('summary')?.focus();
      }}>
      <summary class="button small">From … to …</summary>
      <form class="popover-box" onSubmit={(event) => {
        event.preventDefault();
        if (wrong) return;
        setRange(begin, end);
        if (box.current) box.current.open = false;
      }}>
        <label class="block"><span class="muted">From, {zone.value}</span>
          <input class="field" type="datetime-local" value={from} onInput={(e) => setFrom(e.currentTarget.value)} /></label>
        <label class="block"><span class="muted">To, which is out</span>
          <input class="field" type="datetime-local" value={to} onInput={(e) => setTo(e.currentTarget.value)} /></label>
        {wrong && <p class="warning" role="alert">{wrong}</p>}
        <button type="submit" class="button primary" disabled={wrong !== ''}>Show it</button>
      </form>
    </details>
  );
}

function Controls({ period }: { period: Period }) {
  return (
    <div class="controls">
      <Choice label="Period" value={period.name as (typeof periods)[number]} options={periodTitles} onChoose={setPeriod} />
      <div class="range">
        <button type="button" class="button small" aria-label="Earlier" onClick={() => move(period, -1)}>←</button>
        <span class="range-text">
          {time(period.from, period.bucket === '1d' ? 'year' : 'dayAndMinute')} –{' '}
          {period.moving && period.name !== 'all' ? 'now' : time(period.to, period.bucket === '1d' ? 'year' : 'dayAndMinute')}
        </span>
        <button type="button" class="button small" aria-label="Later" disabled={period.moving} onClick={() => move(period, 1)}>→</button>
      </div>
      <RangeForm period={period} />
      <label class="inline">
        <span class="muted">Times in</span> <ZoneSelect class="field" />
      </label>
      <label class="inline">
        <span class="muted">Compare</span>
        <select class="field" value={compareValue()}
          onChange={(event) => setParams({ compare: [event.currentTarget.value] })}>
          <option value="previous">previous period</option>
          <option value="week">a week earlier</option>
          <option value="none">nothing</option>
        </select>
      </label>
    </div>
  );
}

const clicksOf = (row: ReportRow | undefined) => (row ? row.clicks : 0);

function Cards(props: { row: ReportRow | undefined; before: ReportRow | undefined; compares: boolean; cell: string | null }) {
  const { row, before } = props;
  const open = (children: preact.ComponentChildren) =>
    props.cell ? <a class="open" href={href('cell', { cell: [props.cell] })}>{children}</a> : <span>{children}</span>;
  const spend = moneyList(spendOf(row));
  const mainCurrency = Object.entries(spendOf(row)).sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
  const cards = [
    { term: 'impressions', title: 'Impressions', value: count(row?.impressions ?? 0), sub: '',
      delta: change(row?.impressions ?? 0, before?.impressions ?? null), good: 'none' as const },
    { term: 'clicks', title: 'Clicks', value: count(clicksOf(row)), sub: `${count(row?.unique_clicks ?? 0)} unique`,
      delta: change(clicksOf(row), before ? clicksOf(before) : null), good: 'up' as const },
    { term: 'ctr', title: 'CTR', value: percent(row?.ctr), sub: 'all joined clicks',
      delta: change(row?.ctr ?? null, before?.ctr ?? null), good: 'up' as const },
    { term: 'unique_ctr', title: 'Unique CTR', value: percent(row?.unique_ctr),
      sub: row?.unique_ctr == null ? '' : interval(row.unique_ctr_low, row.unique_ctr_high),
      delta: change(row?.unique_ctr ?? null, before?.unique_ctr ?? null), good: 'up' as const },
    { term: 'spend', title: 'Spend', value: spend[0] ?? none, sub: spend.slice(1, 3).join(' · '),
      delta: change(spendOf(row)[mainCurrency] ?? 0, before ? spendOf(before)[mainCurrency] ?? 0 : null), good: 'none' as const },
  ];
  return (
    <div class="counters cards">
      {cards.map((card) => (
        <div class="counter" key={card.term}>
          <h2><Term name={card.term}>{card.title}</Term></h2>
          <p class="big" data-metric={card.term}>{open(card.value)}</p>
          <p class="beneath">{card.sub || ' '}</p>
          {props.compares && <Delta share={card.delta} good={card.good} />}
        </div>
      ))}
    </div>
  );
}

const bucketMs = { '1m': minute, '1h': hour, '1d': day };

// A bucket without events has no row; counts are 0 there, rates are not known.
function pointsOf(rows: ReportRow[], before: ReportRow[] | null, shift: number, period: Period, metric: Metric): Points {
  const step = bucketMs[period.bucket];
  const at = (list: ReportRow[]) => new Map(list.map((row) => [Date.parse(String(row.bucket)), row]));
  const mine = at(rows);
  const other = before && at(before);
  const isRate = metric === 'ctr' || metric === 'unique_ctr';
  const times: number[] = [];
  const now = Date.now();
  const end = Math.min(period.to, Math.ceil(now / step) * step);
  for (let t = Math.floor(period.from / step) * step; t < end && times.length < 3000; t += step) times.push(t);
  const take = (row: ReportRow | undefined) => (row ? (row[metric] as number | null) : isRate ? null : 0);
  const openFrom = times.findIndex((t) => t + step > now);
  return {
    times,
    ...(openFrom >= 0 && { openFrom }),
    value: times.map((t) => take(mine.get(t))),
    ...(metric === 'unique_ctr' && {
      low: times.map((t) => mine.get(t)?.unique_ctr_low ?? null),
      high: times.map((t) => mine.get(t)?.unique_ctr_high ?? null),
    }),
    ...(isRate && { volume: times.map((t) => mine.get(t)?.impressions ?? 0) }),
    ...(other && { before: times.map((t) => take(other.get(t - shift))) }),
  };
}

function SeriesPanel(props: { period: Period; where: string[]; compared: Extent | null; poll: number }) {
  const { period, where, compared } = props;
  const metric = (metrics.find(([name]) => name === param('metric'))?.[0] ?? 'unique_ctr') as Metric;
  const title = metrics.find(([name]) => name === metric)?.[1] ?? metric;
  const series = useQuery<Report>(reportPath({ from: period.from, to: period.to, bucket: period.bucket, where }), props.poll);
  const step = bucketMs[period.bucket];
  const shift = compared ? Math.round((period.from - compared.from) / step) * step : 0;
  const before = useQuery<Report>(
    compared && shift > 0 ? reportPath({ from: compared.from, to: compared.to, bucket: period.bucket, where }) : null);
  const canvas = useRef<HTMLCanvasElement | null>(null);
  const rows = series.value.data?.rows ?? [];
  const points = useMemo(
    () => pointsOf(rows, compared && before.value.data ? before.value.data.rows : null, shift, period, metric),
    [series.value.data, before.value.data, metric, period.from, period.to, period.bucket, shift],
  );
  const isRate = metric === 'ctr' || metric === 'unique_ctr';
  const csv = () => downloadCsv('adbrook-over-time.csv',
    ['bucket', 'impressions', 'clicks', 'unique_clicks', 'ctr', 'unique_ctr', 'unique_ctr_low', 'unique_ctr_high'],
    rows.map((r) => [r.bucket, r.impressions, r.clicks, r.unique_clicks, r.ctr, r.unique_ctr, r.unique_ctr_low, r.unique_ctr_high]),
    [`as_of: ${series.value.data?.as_of ?? ''}`, ...where]);
  const picture = () => canvas.current && downloadLayers('adbrook-over-time.png', [canvas.current], {
    title: `${title} over time`, note: [`${time(period.from, 'dayAndMinute')} – ${time(period.to, 'dayAndMinute')}, ${zone.value}`, ...where].join(' · '),
  });
  return (
    <Panel title="Over time" class="series"
      tools={<>
        <Choice label="Shown" value={metric} options={metrics} onChoose={(m) => setParams({ metric: [m] }, 'replace')} />
        <button type="button" class="button small" onClick={csv}>CSV</button>
        <button type="button" class="button small" onClick={picture}>PNG</button>
      </>}>
      {series.value.problem && <Trouble problem={series.value.problem} again={series.again} />}
      {!series.value.data && series.value.loading ? <Loading lines={7} /> : (
        <>
          <Chart points={points} title={title} isRate={isRate} bucket={period.bucket}
            onZoom={(from, to) => setRange(Math.floor(from / step) * step, Math.ceil(to / step) * step)}
            onPan={(share) => move(period, share)} onScale={(by) => scale(period, by)}
            onOpen={(begin) => { const cell = cellText(begin, begin + step, where); if (cell) go(href('cell', { cell: [cell] })); }} canvas={(c) => (canvas.current = c)} />
          <p class="legend">
            <span class="key k-accent">{title}</span>
            {points.low && <span class="key k-band">95 % interval</span>}
            {points.volume && <span class="key k-bar">impressions</span>}
            {points.before && <span class="key k-before">{compareValue() === 'week' ? 'a week earlier' : 'previous period'}</span>}
            <span class="grow">Drag to zoom, click to open; arrow keys pan, + and − zoom</span>
          </p>
          <details>
            <summary>As a table</summary>
            <div class="scroll tall" tabIndex={0} role="region" aria-label="Over time, table">
              <table class="table">
                <thead><tr><th scope="col">Begin</th><NumberHead name="impressions">Impressions</NumberHead><NumberHead name="clicks">Clicks</NumberHead><NumberHead name="ctr">CTR</NumberHead><NumberHead name="unique_ctr">Unique CTR</NumberHead></tr></thead>
                <tbody>
                  {rows.slice(-rowsMax).map((r) => {
                    const begin = Date.parse(String(r.bucket));
                    const cell = cellText(begin, begin + step, where);
                    return (
                      <tr key={String(r.bucket)}>
                        <th scope="row">{cell ? <a href={href('cell', { cell: [cell] })}>{time(begin)}</a> : time(begin)}</th>
                        <td class="n">{count(r.impressions)}</td><td class="n">{count(r.clicks)}</td>
                        <td class="n">{percent(r.ctr)}</td><td class="n">{percent(r.unique_ctr)}</td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </Panel>
  );
}

function useKeys(period: Period) {
  useLayoutEffect(() => {
    const key = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, select, textarea, dialog')) return;
      const at = ['1', '2', '3', '4', '5'].indexOf(event.key);
      if (at >= 0) setPeriod(periods[at] ?? '24h');
      else if (event.key === 'Escape' && filters().length > 0) setParams({ where: [] });
      else if (event.key === 'x') setParams({ compare: [compareValue() === 'none' ? 'previous' : 'none'] });
      else if (event.key === 'ArrowLeft') move(period, -1);
      else if (event.key === 'ArrowRight' && !period.moving) move(period, 1);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, [period.from, period.to]);
}

function Body({ extent }: { extent: Extent | null }) {
  // The period moves once a minute, not with every frame.
  const minuteNow = Math.ceil(clock.value / minute) * minute;
  const period = currentPeriod(minuteNow, extent);
  const compared = comparisonOf(period, compareValue(), minuteNow);
  useKeys(period);
  const where = filters();
  const poll = period.moving || period.name === 'all' ? refresh : 0;
  const view = viewFor(where.map((f) => splitFilter(f)[0]));
  const aligned = (range: Extent) => ({
    from: Math.floor(range.from / (view?.grain ?? minute)) * (view?.grain ?? minute),
    to: Math.ceil(range.to / (view?.grain ?? minute)) * (view?.grain ?? minute),
  });
  const total = useQuery<Report>(view ? reportPath({ ...aligned(period), where }) : null, poll);
  const before = useQuery<Report>(view && compared ? reportPath({ ...aligned(compared), where }) : null);
  const shown = { ...period, ...aligned(period) };
  const nothing = total.value.data && total.value.data.rows.length === 0;
  return (
    <>
      <Controls period={period} />
      <Filters />
      {!view ? (
        <Empty title="These filters are not kept together">
          <p>Adbrook counts {where.map((f) => dimensionTitle(splitFilter(f)[0]).toLowerCase()).join(' and ')} in different views. Take one filter away.</p>
        </Empty>
      ) : total.value.problem && !total.value.data ? (
        <Trouble problem={total.value.problem} again={total.again} />
      ) : nothing && where.length === 0 ? (
        <Empty title="No events in this period">
          {extent ? (
            <p>The newest ones are of {time(extent.to - 1, 'year')}.{' '}
              <button type="button" class="link" onClick={() => setPeriod('all')}>Show all time</button></p>
          ) : (
            <>
              <p>Adbrook has not counted anything yet. Send it some events:</p>
              <p><code>adbrook generate --events 20000</code></p>
            </>
          )}
        </Empty>
      ) : (
        <>
          <Cards row={total.value.data?.rows[0]} before={compared ? before.value.data?.rows[0] : undefined}
            compares={compared !== null} cell={cellText(shown.from, shown.to, where)} />
          <SeriesPanel period={shown} where={where} compared={compared} poll={poll} />
          <div class="sorter">
            <h2 class="between">By dimension</h2>
            <Choice label="Sort by" value={param('sort', 'impressions')}
              options={[['impressions', 'Most impressions'], ['clicks', 'Most clicks'], ['ctr', 'Best CTR']]}
              onChoose={(value) => setParams({ sort: [value] }, 'replace')} />
          </div>
          <div class="breakdowns">
            {dimensions.map((dimension) => (
              <Breakdown key={dimension.name} dimension={dimension} period={period} where={where} poll={poll} />
            ))}
            <Hours period={period} where={where} poll={poll} />
          </div>
        </>
      )}
    </>
  );
}

export function OverviewScreen() {
  const days = useQuery<Report>(reportPath({ bucket: '1d' }), 60_000);
  const state: Query<Report> = days.value;
  if (!state.data) return state.problem ? <Trouble problem={state.problem} again={days.again} /> : <Loading lines={8} />;
  return <div class="overview"><Body extent={extentOf(state.data.rows)} /></div>;
}
