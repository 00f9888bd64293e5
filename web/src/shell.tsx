// What is around every screen: navigation, freshness, theme, shortcuts and the palette.
import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { countriesLike, count, country, duration, time } from './format';
import { connection, frame, frameCameAt, now, version } from './live';
import { Dialog, ZoneSelect } from './parts';
import { go, href, route, screen } from './router';
import { screens, ScreenView } from './screens';
import { nextTheme, theme } from './theme';

const sheet = signal<'none' | 'shortcuts' | 'palette'>('none');

// How old the numbers are, in one line; the same everywhere.
function Freshness() {
  const f = frame.value;
  const age = Math.max(0, now.value - frameCameAt.value);
  if (!f)
    return (
      <p class="fresh wait" role="status" data-testid="freshness">
        <i aria-hidden="true" /> Connecting to the engine …
      </p>
    );
  if (connection.value === 'lost')
    return (
      <p class="fresh lost" role="status" data-testid="freshness">
        <i aria-hidden="true" /> The engine does not answer. Last numbers of{' '}
        {time(frameCameAt.value, 'clock')} ({duration(Math.round(age / 1000) * 1000)} ago); trying again
      </p>
    );
  if (f.state !== 'running')
    return (
      <p class="fresh wait" role="status" data-testid="freshness">
        <i aria-hidden="true" />{' '}
        {f.state === 'restoring' ? 'The engine reads its state back after a start' : `A task has stopped: ${f.trouble ?? ''}`}
      </p>
    );
  const behindMs = f.behind > 0 && f.as_of ? Math.max(0, f.at - Date.parse(f.as_of)) : 0;
  return (
    <p class="fresh live" data-testid="freshness"
      title={`Last commit ${time(f.as_of)}; ${count(f.behind)} records wait. What happened before ${time(f.final_until)} will not change any more.`}>
      <i aria-hidden="true" /> as of {time(f.at, 'clock')} · {(behindMs / 1000).toFixed(behindMs > 0 && behindMs < 10_000 ? 1 : 0)} s behind
    </p>
  );
}

function Shortcuts() {
  const rows: [string, string][] = [
    ['Ctrl K', 'Find a screen, a campaign, an event'],
    ['?', 'This list'],
    ...screens.filter((s) => s.key).map((s): [string, string] => [`g ${s.key}`, `Go to ${s.title}`]),
    ['space', 'Pause and resume the live map'],
    ['1 … 5', 'Period on Overview: hour, day, week, month, all'],
    ['x', 'Compare on Overview'],
    ['← →', 'Move the period on Overview'],
    ['+ −', 'Zoom the chart on Overview, when it has the focus'],
    ['Esc', 'Close, or take all filters away'],
    ['t', 'Theme: system, light, dark'],
  ];
  return (
    <Dialog title="Keyboard shortcuts" onClose={() => (sheet.value = 'none')}>
      <h2>Keyboard shortcuts</h2>
      <dl class="keys">
        {rows.map(([keys, about]) => (
          <div key={keys}>
            <dt>{keys.split(' ').map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{about}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog"><button type="submit" class="button">Close</button></form>
    </Dialog>
  );
}

interface Found {
  title: string;
  about: string;
  address: string;
}
const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

const countriesShown = 6;

function search(text: string): Found[] {
  const wanted = text.trim();
  const lower = wanted.toLowerCase();
  const found: Found[] = [];
  if (uuid.test(wanted))
    found.push({ title: `Event ${wanted}`, about: 'its whole life', address: href('event', {}, wanted) });
  for (const s of screens)
    if (s.inMenu && (s.title.toLowerCase().includes(lower) || s.about.toLowerCase().includes(lower)))
      found.push({ title: s.title, about: s.about, address: href(s.name) });
  if (/^\d{1,16}$/.test(wanted))
    for (const name of ['campaign', 'publisher'])
      found.push({ title: `${name === 'campaign' ? 'Campaign' : 'Publisher'} ${wanted}`, about: 'on Overview',
        address: href('overview', { where: [`${name}_id=${wanted}`] }) });
  else if (lower.length >= 2 && !uuid.test(wanted)) {
    const byCode: [string, string][] = lower.length === 2 ? [[wanted.toUpperCase(), country(wanted.toUpperCase())]] : [];
    const all = new Map([...byCode, ...countriesLike(lower).slice(0, countriesShown)]);
    for (const [code, name] of all)
      found.push({ title: `Country ${code}`, about: `${name === code ? '' : `${name}, `}on Overview`,
        address: href('overview', { where: [`country=${code}`] }) });
  }
  return found;
}

function Palette() {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = search(text);
  const chosen = Math.min(at, found.length - 1);
  const open = (one: Found | undefined) => {
    if (!one) return;
    sheet.value = 'none';
    go(one.address);
  };
  return (
    <Dialog title="Find" class="palette" onClose={() => (sheet.value = 'none')}>
      <input type="text" role="combobox" aria-expanded="true" aria-controls="found" aria-label="Find"
        aria-activedescendant={found.length ? `found-${chosen}` : undefined}
        placeholder="A screen, a campaign number, a country, an event’s id …" value={text} autofocus
        onInput={(event) => { setText(event.currentTarget.value); setAt(0); }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, found.length - 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(0, chosen - 1));
          else if (event.key === 'Enter') open(found[chosen]);
          else return;
          event.preventDefault();
        }} />
      <ul id="found" role="listbox" aria-label="Found">
        {found.map((one, i) => (
          <li key={one.address} id={`found-${i}`} role="option" aria-selected={i === chosen}
            onClick={() => open(one)} onMouseMove={() => setAt(i)}>
            <b>{one.title}</b> <span class="muted">{one.about}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="muted">Nothing of this name. An event is found by its whole id.</p>}
    </Dialog>
  );
}

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.closest('input, select, textarea, dialog') !== null;

function useKeys() {
  const leader = useRef(0);
  useLayoutEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        sheet.value = sheet.value === 'palette' ? 'none' : 'palette';
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      if (Date.now() - leader.current < 1200) {
        leader.current = 0;
        const to = screens.find((s) => s.key && s.key === event.key);
        if (to) go(href(to.name));
        return;
      }
      if (event.key === 'g') leader.current = Date.now();
      else if (event.key === '?') sheet.value = 'shortcuts';
      else if (event.key === 't') nextTheme();
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, []);
}

const themeNames = { system: 'System', light: 'Light', dark: 'Dark' };

function Menu() {
  return (
    <nav class="menu" aria-label="Screens">
      <a class="brand" href="#/live" aria-label="Adbrook">
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <circle cx="16" cy="16" r="12" fill="none" stroke="var(--click)" stroke-width="3" />
          <circle cx="16" cy="16" r="5" fill="var(--impression)" />
        </svg>
        <span>Adbrook</span>
      </a>
      <ul>
        {screens.filter((s) => s.inMenu).map((s) => (
          <li key={s.name}>
            <a href={href(s.name)} aria-current={screen.value === s.name ? 'page' : undefined}>
              {s.icon}<span>{s.title}</span>
            </a>
          </li>
        ))}
      </ul>
      <div class="menu-foot">
        <button type="button" class="quiet" onClick={() => (sheet.value = 'palette')}>
          Find <kbd>Ctrl K</kbd>
        </button>
        <button type="button" class="quiet" onClick={() => (sheet.value = 'shortcuts')}>
          Shortcuts <kbd>?</kbd>
        </button>
        <button type="button" class="quiet" onClick={nextTheme}>
          Theme <span class="muted">{themeNames[theme.value]}</span>
        </button>
        <label class="quiet">
          Times in
          <ZoneSelect />
        </label>
        {version.value && <p class="muted version">Adbrook {version.value}</p>}
      </div>
    </nav>
  );
}

export function Shell() {
  useKeys();
  const name = screen.value;
  const found = screens.find((s) => s.name === name);
  const title = found?.title ?? 'Not here';
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${title} · Adbrook`;
    // Who cannot see that the screen has changed is told where they are now.
    if (!first.current) heading.current?.focus();
    first.current = false;
    // On a narrow window the menu is a row that scrolls.
    document.querySelector('.menu [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
    scrollTo(0, 0);
  }, [name, route.value.rest]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); heading.current?.focus(); }}>
        Skip to the content
      </a>
      <div class="shell">
        <Menu />
        <main id="main">
          <header class="head">
            <div>
              <h1 ref={heading} tabIndex={-1}>{title}</h1>
              <p class="muted">{found?.about}</p>
            </div>
            <Freshness />
          </header>
          <ScreenView name={name} />
        </main>
      </div>
      {sheet.value === 'shortcuts' && <Shortcuts />}
      {sheet.value === 'palette' && <Palette />}
    </>
  );
}
