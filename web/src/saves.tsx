// The two buttons with which a table is taken home: as CSV with all its values, and as a picture of
// what is seen.
import { downloadCsv } from './csv';
import { time, zone } from './format';
import { downloadTable } from './picture';

export interface Saved {
  name: string; // of the file, without its ending
  title: string;
  columns: string[];
  rows: unknown[][];
  notes?: string[];
}

export function Saves({ of }: { of: () => Saved }) {
  const csv = () => {
    const { name, columns, rows, notes } = of();
    downloadCsv(`${name}.csv`, columns, rows, notes);
  };
  const png = () => {
    const { name, title, columns, rows, notes = [] } = of();
    const note = [`as of ${time(Date.now())}, ${zone.value}`, ...notes].join(' · ');
    downloadTable(`${name}.png`, { title, note }, columns, rows);
  };
  return (
    <>
      <button type="button" class="button small" onClick={csv}>CSV</button>
      <button type="button" class="button small" onClick={png}>PNG</button>
    </>
  );
}
