import { formatRate, MISSING } from '../report/format.ts';
import type { Compared } from './compare.ts';
import { type Line, type Results, ratesOf, type Subject } from './results.ts';

const HEADINGS = [
  'kernel',
  'shape',
  'variant',
  'error',
  'median µs',
  'min–max',
  '× first',
  'dispatches/s',
  'GB/s',
  'GFLOP/s',
  '% of copy',
  '% of multiply-add',
];
/** Text stands on the left of these columns, numbers on the right of the others. */
const TEXT_COLUMNS = 3;

/** The results with aligned columns. */
export function table(results: Results): string {
  const rows = [HEADINGS, ...results.lines.map((line) => cells(line, results))];
  return aligned(rows, (column) => column >= TEXT_COLUMNS);
}

/** An earlier run beside the present one, medians in microseconds. */
export function comparisonTable(lines: readonly Compared[]): string {
  const headings = ['kernel', 'shape', 'variant', 'earlier µs', 'now µs', 'earlier / now'];
  const rows = lines.map(({ kernels, shape, variant = '', earlier, now, ratio }) => [
    shortName(kernels),
    shape,
    variant,
    ...[earlier, now, ratio].map((value) => (value === null ? MISSING : digits(value))),
  ]);
  return aligned([headings, ...rows], (column) => column >= TEXT_COLUMNS);
}

/** Rows of cells in columns of one width each. @param right whether a column's cells stand on the right */
export function aligned(rows: readonly (readonly string[])[], right: (column: number) => boolean): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number) =>
    right(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

function cells(line: Line, results: Results): string[] {
  const { kernels, shape, error, checked, time, ratioToFirst } = line;
  const rates = ratesOf(line, results);
  const known = (value: number | undefined) => (value === undefined ? MISSING : digits(value));
  return [
    shortName(kernels),
    shape,
    variantCell(line),
    (checked < 1 ? '~' : '') + (error === 0 ? 'exact' : error.toExponential(1)),
    digits(time.median),
    `${digits(time.least)}–${digits(time.most)}`,
    known(ratioToFirst),
    formatRate(rates.dispatchesPerSecond),
    digits(rates.gigabytesPerSecond),
    known(rates.gigaflopsPerSecond),
    digits(100 * rates.shareOfCopy),
    known(rates.shareOfMultiplyAdd && 100 * rates.shareOfMultiplyAdd),
  ];
}

/** Which of several variants, the one that training takes with a star. */
function variantCell({ variant, chosen }: Subject): string {
  return variant === undefined ? '' : `${variant}${chosen ? ' *' : ''}`;
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
