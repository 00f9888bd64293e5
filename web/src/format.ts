// Numbers, money and times as people read them.
import { computed, signal } from '@preact/signals';
import { param, setParams } from './router';

const locale = 'en-US';
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
const oneDigit = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });

export const none = '–';

export function count(n: number | null | undefined): string {
  return n == null ? none : whole.format(n);
}
export function short(n: number | null | undefined): string {
  if (n == null) return none;
  return Math.abs(n) < 10_000 ? whole.format(n) : compact.format(n);
}
export function rate(n: number): string {
  return n >= 100 ? short(n) : oneDigit.format(n);
}
export function percent(share: number | null | undefined, digits = 2): string {
  return share == null ? none : `${(share * 100).toFixed(digits)} %`;
}
export function interval(low: number | null | undefined, high: number | null | undefined): string {
  if (low == null || high == null) return none;
  return `${(low * 100).toFixed(2)} – ${(high * 100).toFixed(2)} %`;
}
export function change(now: number | null, before: number | null): number | null {
  return now == null || before == null || before === 0 ? null : (now - before) / before;
}
export function signedPercent(share: number): string {
  if (share >= 10) return `×${oneDigit.format(share + 1)}`;
  const text = `${Math.abs(share * 100).toFixed(Math.abs(share) < 0.1 ? 1 : 0)} %`;
  return share < 0 ? `−${text}` : `+${text}`;
}

// Currencies come from events, so they may be any three letters.
function money(micros: number, currency: string): string {
  const amount = micros / 1e6;
  const small = Math.abs(amount) < 1000;
  try {
    return new Intl.NumberFormat(locale, {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
      notation: small ? 'standard' : 'compact',
      maximumFractionDigits: small ? 2 : 1,
    }).format(amount);
  } catch {
    return `${amount.toFixed(2)} ${currency}`;
  }
}
// Largest first; amounts of two currencies are never added up.
export function moneyList(spend: Record<string, number>): string[] {
  return Object.entries(spend)
    .filter(([, micros]) => micros !== 0)
    .sort((a, b) => b[1] - a[1])
    .map(([currency, micros]) => money(micros, currency));
}

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    ++unit;
  }
  return `${unit === 0 ? n : n.toFixed(n < 10 ? 1 : 0)} ${units[unit]}`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3600) return `${Math.round(s / 60)} min`;
  if (s < 172_800) return `${oneDigit.format(s / 3600)} h`;
  return `${oneDigit.format(s / 86_400)} d`;
}

// The zone in which times are shown: the address's, else the one chosen last, else the browser's.
export const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
function known(name: string | null): string | null {
  try {
    return name && new Intl.DateTimeFormat('en', { timeZone: name }) ? name : null;
  } catch {
    return null;
  }
}
const chosenZone = signal(known(localStorage.getItem('adbrook.zone')) ?? localZone);
export const zone = computed(() => known(param('tz') || null) ?? chosenZone.value);
export function chooseZone(name: string): void {
  chosenZone.value = name;
  localStorage.setItem('adbrook.zone', name);
  setParams({ tz: [name] }, 'replace');
}
export const zones: readonly string[] = [...new Set([localZone, 'UTC', ...Intl.supportedValuesOf('timeZone')])];

// "2026-05-17T13:50" as an <input> of local time has it, in the zone that is shown.
export function zoned(when: number): string {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: zone.value, dateStyle: 'short', timeStyle: 'short' });
  return parts.format(when).replace(' ', 'T');
}
// The moment at which clocks there show this; of two, or none, a near one.
export function fromZoned(text: string): number {
  const asUtc = Date.parse(`${text}Z`);
  if (!Number.isFinite(asUtc)) return NaN;
  let when = asUtc;
  for (let i = 0; i < 2; ++i) when += asUtc - Date.parse(`${zoned(when)}Z`);
  return when;
}

const formats = computed(() => {
  const make = (options: Intl.DateTimeFormatOptions) => {
    try {
      return new Intl.DateTimeFormat('en-GB', { timeZone: zone.value, ...options });
    } catch {
      return new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', ...options });
    }
  };
  return {
    clock: make({ hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    minute: make({ hour: '2-digit', minute: '2-digit' }),
    day: make({ day: 'numeric', month: 'short' }),
    full: make({
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    }),
    dayAndMinute: make({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }),
    year: make({ day: 'numeric', month: 'short', year: 'numeric' }),
  };
});
export type TimeForm = 'clock' | 'minute' | 'day' | 'full' | 'dayAndMinute' | 'year';
export function time(when: number | string | null | undefined, form: TimeForm = 'full'): string {
  if (when == null || when === '') return none;
  const ms = typeof when === 'number' ? when : Date.parse(when);
  return Number.isFinite(ms) ? formats.value[form].format(ms) : String(when);
}

let names: Intl.DisplayNames | null = null;

// Countries whose name has a word that begins with this text, in small letters. A code that has been
// replaced by another one is left out, and so are those of no country.
const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
let allCountries: [code: string, name: string][] | null = null;
export function countriesLike(text: string): [code: string, name: string][] {
  allCountries ??= letters.flatMap((first) => letters.map((second) => first + second))
    .filter((code) => !/^(X[^K]|EU|EZ|UN|Q[^A]|ZZ)/.test(code) && Intl.getCanonicalLocales(`und-${code}`)[0] === `und-${code}`)
    .map((code): [string, string] => [code, country(code)])
    .filter(([code, name]) => name !== code);
  return allCountries.filter(([, name]) => ` ${name.toLowerCase()}`.includes(` ${text}`));
}

export function country(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  names ??= new Intl.DisplayNames(['en'], { type: 'region', fallback: 'code' });
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}
