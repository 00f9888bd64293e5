// The whole state of the page lives in the address: "#/overview?period=7d&where=country%3DFR".
import { computed, signal } from '@preact/signals';

export type Params = Record<string, string[]>;
export interface Route {
  screen: string;
  rest: string; // what follows the screen: "/event/<id>" has "<id>"
  params: Params;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [screen = '', ...rest] = path.split('/');
  const params: Params = {};
  for (const [name, value] of new URLSearchParams(query)) (params[name] ??= []).push(value);
  return { screen: screen || 'live', rest: safeDecode(rest.join('/')), params };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function formatRoute(route: Route): string {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(route.params))
    for (const value of values) if (value !== '') query.append(name, value);
  const text = query.toString();
  const rest = route.rest ? `/${encodeURIComponent(route.rest)}` : '';
  return `#/${route.screen}${rest}${text ? `?${text}` : ''}`;
}

export const route = signal<Route>(parseRoute(location.hash));
addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash);
});

export const screen = computed(() => route.value.screen);

export function href(screenName: string, params: Params = {}, rest = ''): string {
  return formatRoute({ screen: screenName, rest, params });
}

export function go(address: string): void {
  location.hash = address;
}

// Changes parameters of the current screen; an empty list removes one. `replace` leaves no step for
// the back button, for changes that follow a drag or typing.
export function setParams(changes: Params, how: 'push' | 'replace' = 'push'): void {
  const params = { ...route.value.params, ...changes };
  const next = formatRoute({ ...route.value, params });
  if (how === 'push') {
    location.hash = next;
    return;
  }
  history.replaceState(null, '', next);
  route.value = parseRoute(next);
}

export function param(name: string, otherwise = ''): string {
  return route.value.params[name]?.[0] ?? otherwise;
}
