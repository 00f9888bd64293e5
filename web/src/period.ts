// The period of Overview: from the address to moments, the one it is compared with, and its moves.
import type { ReportRow } from './api';
import { param, setParams } from './router';
import { day, hour, minute } from './views';

export const periods = ['1h', '24h', '7d', '30d', 'all'] as const;
export type PeriodName = (typeof periods)[number] | 'custom';
export const periodTitles: readonly (readonly [(typeof periods)[number], string])[] = [
  ['1h', 'Hour'], ['24h', '24 hours'], ['7d', '7 days'], ['30d', '30 days'], ['all', 'All time'],
];
const lengths: Record<string, number> = { '1h': hour, '24h': day, '7d': 7 * day, '30d': 30 * day };

export interface Period {
  name: PeriodName;
  from: number;
  to: number; // the first moment that is out
  bucket: '1m' | '1h' | '1d';
  moving: boolean; // ends now
}

// Cells are kept by the minute for days, by the hour for weeks, by the day for ever.
export function grainFor(length: number, ageOfBegin: number): number {
  if (ageOfBegin > 60 * day || length > 40 * day) return day;
  if (ageOfBegin > 7 * day || length > 2 * day) return hour;
  return minute;
}

function bucketFor(from: number, to: number, grain: number): '1m' | '1h' | '1d' {
  const length = to - from;
  if (grain === day || length > 15 * day) return '1d';
  return grain === hour || length > 3 * hour ? '1h' : '1m';
}

function make(name: PeriodName, from: number, to: number, now: number): Period {
  const grain = grainFor(to - from, now - from);
  const begin = Math.floor(from / grain) * grain;
  const end = Math.ceil(to / grain) * grain;
  return { name, from: begin, to: end, bucket: bucketFor(begin, end, grain), moving: end >= now };
}

export interface Extent {
  from: number;
  to: number;
}
export function extentOf(days: ReportRow[]): Extent | null {
  const times = days.map((row) => Date.parse(String(row.bucket))).filter(Number.isFinite);
  return times.length ? { from: Math.min(...times), to: Math.max(...times) + day } : null;
}

export function currentPeriod(now: number, extent: Extent | null): Period {
  const from = Date.parse(param('from'));
  const to = Date.parse(param('to'));
  if (Number.isFinite(from) && Number.isFinite(to) && from < to) return make('custom', from, to, now);
  const recent = !extent || extent.to > now - day;
  const asked = param('period', recent ? '24h' : 'all');
  const length = lengths[asked];
  if (length !== undefined) return make(asked as PeriodName, now - length, now, now);
  return extent ? make('all', extent.from, extent.to, now) : make('24h', now - day, now, now);
}

export type Compare = 'none' | 'previous' | 'week';
export function comparisonOf(period: Period, how: Compare, now: number): Extent | null {
  if (how === 'none') return null;
  // A period that is not over is compared with the same stretch of the other one.
  const to = Math.min(period.to, Math.ceil(now / minute) * minute);
  const back = how === 'week' ? 7 * day : to - period.from;
  const grain = grainFor(to - period.from, now - (period.from - back));
  return {
    from: Math.floor((period.from - back) / grain) * grain,
    to: Math.ceil((to - back) / grain) * grain,
  };
}

export function setRange(from: number, to: number, how: 'push' | 'replace' = 'push'): void {
  setParams({ period: [], from: [new Date(from).toISOString()], to: [new Date(to).toISOString()] }, how);
}
export function setPeriod(name: string): void {
  setParams({ period: [name], from: [], to: [] });
}
export function move(period: Period, share: number): void {
  const step = Math.max(minute, Math.abs(period.to - period.from) * Math.abs(share));
  const by = Math.sign(share) * step;
  setRange(period.from + by, period.to + by, 'replace');
}
// Around the middle; below 1 zooms in.
export function scale(period: Period, by: number): void {
  const middle = (period.from + period.to) / 2;
  const half = Math.max(5 * minute, ((period.to - period.from) / 2) * by);
  setRange(middle - half, middle + half, 'replace');
}
