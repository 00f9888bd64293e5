// The list of screens: navigation, palette, shortcuts and loading all go by it.
import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { LiveScreen } from './live_screen';
import { Loading } from './parts';

export interface Screen {
  name: string;
  title: string;
  about: string;
  key: string; // pressed behind "g"
  icon: JSX.Element;
  inMenu: boolean;
  load: () => Promise<ComponentType>;
}

const icon = (path: string) => (
  <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" fill="none"
    stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
    <path d={path} />
  </svg>
);

export const screens: Screen[] = [
  { name: 'live', title: 'Live', about: 'What happens now', key: 'l', inMenu: true,
    icon: icon('M2 10h3l2.5-6 4 12L14 10h4'), load: async () => LiveScreen },
  { name: 'overview', title: 'Overview', about: 'How campaigns do', key: 'o', inMenu: true,
    icon: icon('M3 17V9m5 8V3m5 14v-6m4 6V7'),
    load: async () => (await import('./overview')).OverviewScreen },
  { name: 'outcomes', title: 'Outcomes', about: 'How every event ended', key: 'u', inMenu: true,
    icon: icon('M4 4v12h12M8 12V8m4 4V6m4 6v-2'),
    load: async () => (await import('./outcomes_screen')).OutcomesScreen },
  { name: 'topics', title: 'Topics and groups', about: 'What lies in the log, and who reads it', key: 'p', inMenu: true,
    icon: icon('M3 6l7-3 7 3-7 3zm0 4 7 3 7-3M3 14l7 3 7-3'),
    load: async () => (await import('./topics_screen')).TopicsScreen },
  { name: 'dead-letters', title: 'Dead letters', about: 'What could not be read', key: 'd', inMenu: true,
    icon: icon('M3 5h14v10H3zm0 1 7 5 7-5'),
    load: async () => (await import('./dead_letters_screen')).DeadLettersScreen },
  { name: 'system', title: 'System', about: 'Health, room and settings', key: 's', inMenu: true,
    icon: icon('M4 5h12v4H4zm0 6h12v4H4zm3-4h.01M7 13h.01'),
    load: async () => (await import('./system_screen')).SystemScreen },
  { name: 'cell', title: 'Events behind a number', about: 'Which events count in it', key: '',
    inMenu: false, icon: icon('M3 5h14M3 10h14M3 15h14'),
    load: async () => (await import('./cell_screen')).CellScreen },
  { name: 'event', title: 'One event', about: 'Its whole life', key: '', inMenu: false,
    icon: icon('M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14m0 4v3l2 2'),
    load: async () => (await import('./event_screen')).EventScreen },
];

const loaded = new Map<string, ComponentType>([['live', LiveScreen]]);

export function ScreenView({ name }: { name: string }) {
  const [, setCount] = useState(0);
  const [failed, setFailed] = useState(false);
  const found = screens.find((screen) => screen.name === name);
  useEffect(() => {
    setFailed(false);
    if (!found || loaded.has(name)) return;
    found.load().then(
      (component) => {
        loaded.set(name, component);
        setCount((n) => n + 1);
      },
      () => setFailed(true),
    );
  }, [name]);
  if (!found)
    return (
      <div class="empty">
        <p class="empty-title">There is no screen of this name</p>
        <p><a href="#/live">Go to the live screen</a></p>
      </div>
    );
  if (failed)
    return (
      <div class="trouble" role="alert">
        <p>This screen could not be loaded: the engine does not answer, or it is of a newer version.</p>
        <button type="button" class="button" onClick={() => location.reload()}>Reload</button>
      </div>
    );
  const Component = loaded.get(name);
  return Component ? <Component /> : <Loading lines={6} />;
}
