import { formatRate, MISSING } from '../report/format.ts';
import { type Line, type Results, ratesOf } from './results.ts';

const HEADINGS = ['kernel', 'shape', 'error', 'median µs', 'min–max', 'dispatches/s', 'GB/s', 'GFLOP/s', '% of copy'];
/** Text stands on the left of these columns, numbers on the right of the others. */
const TEXT_COLUMNS = 2;

/** The results with aligned columns. */
export function table(results: Results): string {
  const rows = [HEADINGS, ...results.lines.map((line) => cells(line, results))];
  return aligned(rows, (column) => column >= TEXT_COLUMNS);
}

/** Rows of cells in columns of one width each. @param right whether a column's cells stand on the right */
export function aligned(rows: readonly (readonly string[])[], right: (column: number) => boolean): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number) =>
    right(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

function cells(line: Line, results: Results): string[] {
  const { kernels, shape, error, time } = line;
  const { dispatchesPerSecond, gigabytesPerSecond, gigaflopsPerSecond, shareOfCopy } = ratesOf(line, results);
  return [
    shortName(kernels),
    shape,
    error === 0 ? 'exact' : error.toExponential(1),
    digits(time.median),
    `${digits(time.least)}–${digits(time.most)}`,
    formatRate(dispatchesPerSecond),
    digits(gigabytesPerSecond),
    gigaflopsPerSecond === undefined ? MISSING : digits(gigaflopsPerSecond),
    digits(100 * shareOfCopy),
  ];
}

/** group_link, group_sort → "group_link → sort": what all names begin with is said once. */
export function shortName(kernels: readonly string[]): string {
  const words = kernels.map((kernel) => kernel.split('_'));
  let shared = 0;
  while (words.every((own) => own.length > shared + 1 && own[shared] === words[0]![shared])) shared++;
  return words.map((own, i) => (i === 0 ? own : own.slice(shared)).join('_')).join(' → ');
}

/** Three digits that count: 1234.5 → "1,235", 12.34 → "12.3", 0.01234 → "0.0123". */
export function digits(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value === 0 ? '0' : value.toFixed(Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(value)))));
}
