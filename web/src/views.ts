// Which dimensions Adbrook keeps together, as src/ads/views.h declares them.
export interface View {
  name: string;
  dimensions: string[];
  grain: number; // ms
}
export const minute = 60_000;
export const hour = 3_600_000;
export const day = 86_400_000;
export const views: View[] = [
  { name: 'click-through', dimensions: ['campaign_id', 'publisher_id', 'country'], grain: minute },
  { name: 'creatives', dimensions: ['campaign_id', 'publisher_id', 'creative_id', 'placement_id'], grain: hour },
  { name: 'places', dimensions: ['campaign_id', 'country', 'city'], grain: hour },
  { name: 'devices', dimensions: ['campaign_id', 'browser', 'platform'], grain: hour },
];
export function viewFor(dimensions: string[]): View | null {
  return views.find((view) => dimensions.every((d) => view.dimensions.includes(d))) ?? null;
}

export interface Dimension {
  name: string;
  title: string;
  one: string;
}
export const dimensions: Dimension[] = [
  { name: 'campaign_id', title: 'Campaigns', one: 'Campaign' },
  { name: 'publisher_id', title: 'Publishers', one: 'Publisher' },
  { name: 'country', title: 'Countries', one: 'Country' },
  { name: 'city', title: 'Cities', one: 'City' },
  { name: 'creative_id', title: 'Creatives', one: 'Creative' },
  { name: 'placement_id', title: 'Placements', one: 'Placement' },
  { name: 'browser', title: 'Browsers', one: 'Browser' },
  { name: 'platform', title: 'Platforms', one: 'Platform' },
];
export function dimensionTitle(name: string): string {
  return dimensions.find((d) => d.name === name)?.one ?? name[0]?.toUpperCase() + name.slice(1).replaceAll('_', ' ');
}
export function splitFilter(filter: string): [dimension: string, value: string] {
  const equals = filter.indexOf('=');
  return [filter.slice(0, equals), filter.slice(equals + 1)];
}

// A filter as the engine reads it: in quotes where a comma, a semicolon or a quote would end it.
export function writtenFilter(filter: string): string {
  const [dimension, value] = splitFilter(filter);
  return /[,;"]/.test(value) ? `${dimension}="${value.replaceAll('"', '""')}"` : filter;
}

// The text that names the events behind a number, for /v1/events?cell=…
export function cellText(from: number, to: number, where: string[]): string | null {
  const view = viewFor(where.map((f) => splitFilter(f)[0]));
  if (!view || to - from > 366 * day) return null;
  const start = Math.floor(from / view.grain) * view.grain;
  const end = Math.ceil(to / view.grain) * view.grain;
  return [view.name, `${new Date(start).toISOString()}/${end - start}ms`, ...where.map(writtenFilter)].join(';');
}
