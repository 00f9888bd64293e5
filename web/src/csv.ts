// Downloads of what is seen.

// A cell that begins like a formula would run in a spreadsheet, so it is made text.
export function csvCell(value: unknown): string {
  const text = value == null ? '' : String(value);
  const isNumber = typeof value === 'number';
  const safe = !isNumber && /^[\s]*[=+\-@\t\r\n|%]/.test(text) ? `'${text}` : text;
  return /[",\r\n;\t']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvText(columns: string[], rows: unknown[][], notes: string[] = []): string {
  const lines = notes.map((note) => `# ${note.replace(/[\r\n]/g, ' ')}`);
  lines.push(columns.map(csvCell).join(','));
  for (const row of rows) lines.push(row.map(csvCell).join(','));
  return `${lines.join('\n')}\n`;
}

export function download(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function downloadCsv(name: string, columns: string[], rows: unknown[][], notes: string[] = []) {
  download(name, new Blob([csvText(columns, rows, notes)], { type: 'text/csv;charset=utf-8' }));
}

