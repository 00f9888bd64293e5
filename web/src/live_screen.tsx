// The first screen: what happens now, on a map, in numbers and event by event.
import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { downloadCsv } from './csv';
import {
  count, country, interval, moneyList, none, percent, rate, short, time, zone,
} from './format';
import { type Frame, frame, frameCameAt, type LiveEvent, type LiveWindow, onFrame, slots, stale } from './live';
import { WorldMap } from './map';
import { Empty, NumberHead, Panel, Shape, Term, Text } from './parts';
import { downloadLayers } from './picture';
import { pulseKind } from './pulses';
import { href } from './router';
import { Saves } from './saves';
import { downloadSpark, Spark } from './spark';
import { isDark, reducedMotion } from './theme';
import { cellText } from './views';

export const paused = signal(false);
const tickerMax = 60;
const tickerPerFrame = 4;
const tickerPause = 350; // ms
const placesFor = 60_000;
const kinds: [string, string][] = [['impression', 'impression'], ['click', 'click'], ['unlinked click', 'unlinked'],
  ['duplicate, late, filtered …', 'refused']];

function share(part: number, window: LiveWindow): string {
  return window.events === 0 ? none : percent(part / window.events);
}

interface Metric {
  term: string;
  title: string;
  now: (w: LiveWindow) => string;
  unit?: string;
  value: (w: LiveWindow) => string;
  tone?: string;
}
const perSecond = (n: number, w: LiveWindow) => rate(n / Math.max(1, w.covered_ms / 1000));
const money = (w: LiveWindow) => moneyList(w.spend_micros)[0] ?? none;
const metrics: Metric[] = [
  { term: 'impressions', title: 'Impressions', unit: '/s', tone: 'impression',
    now: (w) => perSecond(w.impressions, w), value: (w) => short(w.impressions) },
  { term: 'clicks', title: 'Clicks', unit: '/s', tone: 'click',
    now: (w) => perSecond(w.joined + w.unlinked, w), value: (w) => short(w.joined + w.unlinked) },
  { term: 'live_ctr', title: 'Click-through rate', now: (w) => percent(w.ctr),
    value: (w) => percent(w.ctr) },
  { term: 'spend', title: 'Spend', now: money, value: money },
  { term: 'duplicates', title: 'Duplicates', now: (w) => share(w.duplicate, w),
    value: (w) => share(w.duplicate, w) },
  { term: 'rejected', title: 'Rejected', now: (w) => share(w.rejected, w),
    value: (w) => share(w.rejected, w) },
];

// Soon after a start the longest window is shorter than its name.
function sinceStart(w: LiveWindow): string {
  const minutes = Math.floor(w.covered_ms / 60_000);
  return minutes < 5 ? 'since start' : `${minutes} min`;
}

// Beneath the number of now, about the same time.
function more(metric: Metric, w: LiveWindow): string | null {
  if (metric.term === 'live_ctr' && w.ctr !== null) return interval(w.ctr_low, w.ctr_high);
  if (metric.term === 'spend') return moneyList(w.spend_micros).slice(1, 3).join(' · ') || null;
  return null;
}

// What is behind a number: events of this time, or how they ended. Events decided now may be of any
// time of their own; the list goes by theirs.
function behind(metric: Metric, w: LiveWindow): string | null {
  if (metric.term === 'duplicates') return href('outcomes', { open: ['impressions:duplicate/'] });
  if (metric.term === 'rejected') return href('dead-letters');
  const end = Math.ceil(frameCameAt.peek() / 60_000) * 60_000;
  const cell = cellText(end - w.ms, end, []);
  return cell && href('cell', { cell: [cell] });
}

function Opens({ metric, window: w }: { metric: Metric; window: LiveWindow | undefined }) {
  const text = w ? metric.value(w) : none;
  const address = w && text !== none ? behind(metric, w) : null;
  const sure = w && metric.term === 'live_ctr' && w.ctr !== null ? `95 %: ${interval(w.ctr_low, w.ctr_high)}` : undefined;
  return address ? <a href={address} title={sure}>{text}</a> : <>{text}</>;
}

function Counters() {
  const windows = frame.value?.windows;
  const young = windows && windows[2].covered_ms < windows[2].ms;
  return (
    <div class="counters">
      {metrics.map((metric) => (
        <div class={`counter ${metric.tone ? `t-${metric.tone}` : ''}`} key={metric.term}>
          <h2>
            <Term name={metric.term}>{metric.title}</Term>
          </h2>
          <p class="big" data-metric={`${metric.term}-now`}>
            {windows ? metric.now(windows[0]) : none}
            {windows && metric.unit && <span class="unit">{metric.unit}</span>}
          </p>
          <p class="beneath">{(windows && more(metric, windows[0])) || ' '}</p>
          <dl>
            <div>
              <dt>5 min</dt>
              <dd data-metric={`${metric.term}-5m`}><Opens metric={metric} window={windows?.[1]} /></dd>
            </div>
            <div>
              <dt>{windows && young ? sinceStart(windows[2]) : '30 min'}</dt>
              <dd data-metric={`${metric.term}-30m`}><Opens metric={metric} window={windows?.[2]} /></dd>
            </div>
          </dl>
        </div>
      ))}
    </div>
  );
}

// How many events stand behind one that is shown, over the last frames.
function useSampling(): number {
  const [oneIn, setOneIn] = useState(1);
  useEffect(() => {
    let seen = 0;
    let shown = 0;
    return onFrame((next) => {
      seen = seen * 0.9 + next.seen.reduce((a, b) => a + b, 0);
      shown = shown * 0.9 + next.events.length;
      if (shown > 0) setOneIn(Math.max(1, Math.round(seen / shown)));
    });
  }, []);
  return oneIn;
}

function MapPanel() {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const land = useRef<HTMLCanvasElement>(null);
  const world = useRef<WorldMap | null>(null);
  const [under, setUnder] = useState<{ event: LiveEvent; x: number; y: number } | null>(null);
  const oneIn = useSampling();
  useEffect(() => {
    if (!canvas.current || !land.current || !box.current) return;
    const map = new WorldMap(canvas.current, land.current);
    world.current = map;
    Object.assign(canvas.current, { worldMap: map });
    const size = () => box.current && map.resize(box.current.clientWidth, box.current.clientHeight);
    const watch = new ResizeObserver(size);
    watch.observe(box.current);
    size();
    map.restyle();
    void map.load();
    const off = onFrame((next) => !paused.value && map.add(next.events, 200));
    const restyle = isDark.subscribe(() => map.restyle());
    const pause = paused.subscribe((value) => map.pause(value));
    return () => {
      watch.disconnect();
      off();
      restyle();
      pause();
    };
  }, []);
  const point = (event: MouseEvent) => {
    const found = world.current?.find(event.offsetX, event.offsetY) ?? null;
    world.current?.choose(found);
    setUnder(found && { event: found, x: event.offsetX, y: event.offsetY });
  };
  return (
    <Panel
      class="map-panel"
      title="Where it happens"
      tools={
        <>
          <span class="sampling" data-testid="sampling">
            {oneIn > 1 ? `showing 1 in ${count(oneIn)}` : 'showing every event'}
          </span>
          <button type="button" class="button small" aria-pressed={paused.value}
            onClick={() => (paused.value = !paused.value)}>
            {paused.value ? '▶ Resume' : '❚❚ Pause'} <kbd>space</kbd>
          </button>
          <button type="button" class="button small"
            onClick={() => land.current && canvas.current && downloadLayers('adbrook-map.png', [land.current, canvas.current],
              { title: 'Where it happens', note: `at ${time(Date.now())}, ${zone.value}${oneIn > 1 ? `, 1 event in ${count(oneIn)}` : ''}` }, kinds)}>
            PNG
          </button>
        </>
      }
    >
      <div class="map" ref={box}>
        <canvas ref={land} aria-hidden="true" />
        <canvas ref={canvas} role="img"
          aria-label="World map of events as they happen; the table “Places” tells the same in words"
          class={under ? 'pointing' : ''}
          onMouseMove={point}
          onMouseLeave={() => { world.current?.choose(null); setUnder(null); }}
          onClick={() => under && (location.hash = href('event', {}, under.event.id))}
        />
        {under && (
          <div class="map-tip" style={{ left: `${under.x}px`, top: `${under.y}px` }}>
            <b>{under.event.kind === 'click' ? 'Click' : 'Impression'}, {under.event.outcome}</b>
            <span>Campaign {under.event.campaign}</span>
            <span><Text empty="place unknown">{under.event.city || country(under.event.country ?? '')}</Text></span>
            <span class="muted">click to open</span>
          </div>
        )}
        {paused.value && <p class="map-paused">Paused. The numbers go on.</p>}
      </div>
      <ul class="legend">
        {kinds.map(([name], i) => <li key={name}><Shape kind={i} /> {name}</li>)}
      </ul>
    </Panel>
  );
}

// Rare events first: a ticker that only shows impressions tells nothing.
function pick(events: LiveEvent[]): LiveEvent[] {
  return [...events]
    .sort((a, b) => Number(b.kind === 'click') - Number(a.kind === 'click'))
    .slice(0, tickerPerFrame);
}

function Ticker() {
  const [events, setEvents] = useState<LiveEvent[]>([]);
  useEffect(() => {
    let waiting: LiveEvent[] = [];
    let shownAt = 0;
    let timer = 0;
    const show = () => {
      timer = 0;
      if (paused.value || waiting.length === 0) return;
      shownAt = performance.now();
      const fresh = pick(waiting);
      waiting = [];
      setEvents((old) => [...fresh, ...old].slice(0, tickerMax));
    };
    // The first one is shown at once; with traffic slow enough to be read, the rest is on the map.
    const off = onFrame((next: Frame) => {
      if (paused.value || next.events.length === 0) return;
      waiting.push(...next.events);
      timer ||= window.setTimeout(show, Math.max(0, shownAt + tickerPause - performance.now()));
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  }, []);
  return (
    <Panel class="ticker-panel" title="Event by event"
      tools={events.length > 0 && (
        <Saves of={() => ({ name: 'adbrook-live-events', title: 'Event by event',
          columns: ['time', 'kind', 'outcome', 'reason', 'campaign', 'publisher', 'country', 'city', 'uuid'],
          rows: events.map((e) => [new Date(e.time).toISOString(), e.kind, e.outcome, e.reason ?? '',
            e.campaign, e.publisher, e.country ?? '', e.city ?? '', e.id]) })} />)}>
      {events.length === 0 ? (
        <Empty title="No event since this page opened">
          <p>The next one is shown here within a second. Send some:</p>
          <p class="muted"><code>adbrook generate --rate 50 --duration 1m</code></p>
        </Empty>
      ) : (
        <ol class="ticker">
          {events.map((event) => (
            <li key={event.id}>
              <a href={href('event', {}, event.id)}>
                <Shape kind={pulseKind(event.outcome)} />
                <span class="what">
                  <b class={`outcome o-${event.outcome}`}>{event.outcome}</b>
                  <span class="muted"> {event.kind}{event.reason ? `, ${event.reason}` : ''}</span>
                </span>
                <span class="where">
                  <Text empty="place unknown">{event.city || country(event.country ?? '')}</Text>
                </span>
                <span class="who">campaign {event.campaign}</span>
                <time>{time(event.time, 'clock')}</time>
              </a>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

interface Place {
  name: string;
  counts: [number, number, number, number];
}

// The map in words. Counts are of the events shown, scaled to nothing: it says so.
function Places() {
  const recent = useMemo(() => ({ events: [] as { at: number; place: string; kind: number }[] }), []);
  const [places, setPlaces] = useState<Place[]>([]);
  useEffect(() => {
    const off = onFrame((next) => {
      if (paused.value) return;
      for (const event of next.events)
        recent.events.push({ at: Date.now(), place: event.country ?? '', kind: pulseKind(event.outcome) });
      if (recent.events.length > 20_000) recent.events.splice(0, recent.events.length - 20_000);
    });
    const sum = () => {
      if (paused.value) return;
      const since = Date.now() - placesFor;
      recent.events = recent.events.filter((e) => e.at >= since);
      const byPlace = new Map<string, Place>();
      for (const { place, kind } of recent.events) {
        const one: Place = byPlace.get(place) ?? { name: place, counts: [0, 0, 0, 0] };
        one.counts[kind] = (one.counts[kind] ?? 0) + 1;
        byPlace.set(place, one);
      }
      const total = (p: Place) => p.counts.reduce((a, b) => a + b, 0);
      setPlaces([...byPlace.values()].sort((a, b) => total(b) - total(a)).slice(0, 8));
    };
    const timer = setInterval(sum, reducedMotion.value ? 5000 : 2000);
    return () => {
      off();
      clearInterval(timer);
    };
  }, []);
  return (
    <Panel class="places-panel" title="Places" tools={places.length > 0 && (
      <Saves of={() => ({ name: 'adbrook-places', title: 'Places of the last minute',
        columns: ['country', 'impressions', 'clicks', 'unlinked', 'other'], rows: places.map((p) => [p.name, ...p.counts]) })} />)}>
      <p class="note">The events shown in the last minute, by country.</p>
      {places.length === 0 ? (
        <Empty title="Nothing in the last minute" />
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Places, table">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Country</th>
                {([['impressions', 'Impressions'], ['joined', 'Clicks'], ['unlinked', 'Unlinked'], ['turned_away', 'Other']] as const)
                  .map(([term, title], i) => <NumberHead name={term} key={term}><Shape kind={i} /><span class="sr">{title}</span></NumberHead>)}
              </tr>
            </thead>
            <tbody>
              {places.map((place) => (
                <tr key={place.name}>
                  <th scope="row">
                    <a href={href('overview', { where: [`country=${place.name}`] })}>
                      <Text empty="unknown">{country(place.name)}</Text>
                    </a>
                  </th>
                  {place.counts.map((n, i) => <td class="n" key={i}>{count(n)}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Line() {
  return (
    <Panel class="line-panel" title="The last 30 minutes"
      tools={<>
        <span class="key t-impression">impressions / s</span>
        <span class="key t-click">clicks / s</span>
        <button type="button" class="button small"
          onClick={() => downloadCsv('adbrook-last-30-minutes.csv', ['begin', 'impressions', 'clicks'],
            slots.value.map(([t, i, c]) => [new Date(t).toISOString(), i, c]))}>CSV</button>
        <button type="button" class="button small" onClick={() => downloadSpark(slots.value)}>PNG</button>
      </>}>
      <Spark slots={slots.value} />
    </Panel>
  );
}

// Every ten seconds in one sentence, for those who listen.
function Spoken() {
  const [text, setText] = useState('');
  useEffect(() => {
    const timer = setInterval(() => {
      const w = frame.value?.windows?.[0];
      if (w && !paused.value)
        setText(`In the last 10 seconds ${count(w.impressions)} impressions and ${count(w.joined + w.unlinked)} clicks.`);
    }, 10_000);
    return () => clearInterval(timer);
  }, []);
  return <p class="sr" aria-live="polite">{text}</p>;
}

export function LiveScreen() {
  useLayoutEffect(() => { // what is seen takes keys
    const key = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key !== ' ' || target.closest('button, a, input, select, textarea, dialog')) return;
      event.preventDefault();
      paused.value = !paused.value;
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, []);
  return (
    <div class={`live ${stale.value ? 'stale' : ''}`}>
      <Counters />
      <div class="live-grid">
        <MapPanel />
        <Ticker />
        <Line />
        <Places />
      </div>
      <Spoken />
    </div>
  );
}
