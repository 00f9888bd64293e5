// The filters of Overview, as they stand in the address: "where=country=FR", several for several.
import { country } from './format';
import { route, setParams } from './router';
import { splitFilter } from './views';

export function filters(): string[] {
  return route.value.params['where'] ?? [];
}
export function toggleFilter(dimension: string, value: string): void {
  const others = filters().filter((f) => splitFilter(f)[0] !== dimension);
  const same = filters().includes(`${dimension}=${value}`);
  setParams({ where: same ? others : [...others, `${dimension}=${value}`] });
}
export function shownValue(dimension: string, value: string): string {
  return dimension === 'country' ? country(value) : value;
}
