/** Lines of figures as a table: aligned for a terminal, or in Markdown. */

import { aligned, digits } from '../../kernels/table.ts';
import { formatDuration, formatRate, MISSING } from '../../report/format.ts';
import type { Line } from './measure.ts';

export type Layout = 'text' | 'markdown';

interface Column {
  readonly heading: string;
  readonly cell: (line: Line) => string;
  readonly right?: boolean;
}

const PRESET: Column = { heading: 'preset', cell: ({ preset }) => preset };
const CONTENDER: Column = { heading: 'contender', cell: ({ contender }) => contender };
const NAMES: readonly Column[] = [
  PRESET,
  { heading: 'batch', cell: ({ batchSize }) => batchSize?.toLocaleString('en-US') ?? MISSING, right: true },
  CONTENDER,
];
const RATIOS: readonly Column[] = [
  { heading: '× ours', cell: ({ time }) => (time ? digits(time.ratioByRound) : MISSING), right: true },
  { heading: 'of medians', cell: ({ time }) => (time ? digits(time.ratioOfMedians) : MISSING), right: true },
];
const RATE: Column = {
  heading: 'samples/s',
  cell: ({ samplesPerSecond }) => (samplesPerSecond === null ? MISSING : formatRate(samplesPerSecond)),
  right: true,
};
const LOSSES: Column = {
  heading: 'loss',
  cell: ({ losses }) => (losses ? losses.map((loss) => loss.toFixed(4)).join(' → ') : MISSING),
};

/** Milliseconds a training step. */
export function stepTable(lines: readonly Line[], layout: Layout): string {
  const columns: Column[] = [
    ...NAMES,
    { heading: 'ms a step', cell: ({ time }) => (time ? digits(time.median) : MISSING), right: true },
    {
      heading: 'min–max',
      cell: ({ time }) => (time ? `${digits(time.least)}–${digits(time.most)}` : MISSING),
      right: true,
    },
    RATE,
    ...RATIOS,
    { heading: 'loss differs', cell: ({ difference }) => difference?.toExponential(0) ?? MISSING, right: true },
    LOSSES,
  ];
  return table(columns, lines, layout);
}

/**
 * Epochs, sampling included; those that a share was trained of as the whole would take.
 * @param samples of a whole epoch
 * @param share of the interactions that was trained on
 */
export function epochTable(lines: readonly Line[], samples: number, share: number, layout: Layout): string {
  const columns: Column[] = [
    ...NAMES,
    RATE,
    {
      heading: 'whole epoch',
      cell: ({ samplesPerSecond }) =>
        samplesPerSecond === null ? MISSING : formatDuration(samples / samplesPerSecond),
      right: true,
    },
    {
      heading: 'list built once',
      cell: ({ drawnOnce }) => (drawnOnce > 0 ? formatDuration(drawnOnce / 1000 / share) : MISSING),
      right: true,
    },
    ...RATIOS,
    LOSSES,
  ];
  return table(columns, lines, layout);
}

/** Seconds to rank every held-out item among all unseen items. */
export function rankingTable(lines: readonly Line[], layout: Layout): string {
  const seconds = (milliseconds: number) => digits(milliseconds / 1000);
  const columns: Column[] = [
    PRESET,
    CONTENDER,
    { heading: 'seconds', cell: ({ time }) => (time ? seconds(time.median) : MISSING), right: true },
    {
      heading: 'min–max',
      cell: ({ time }) => (time ? `${seconds(time.least)}–${seconds(time.most)}` : MISSING),
      right: true,
    },
    { ...RATE, heading: 'pairs/s' },
    ...RATIOS,
    {
      heading: 'same ranks',
      cell: ({ sameRanks }) =>
        sameRanks ? [sameRanks.users, sameRanks.of].map((n) => n.toLocaleString('en-US')).join(' of ') : MISSING,
      right: true,
    },
  ];
  return table(columns, lines, layout);
}

function table(columns: readonly Column[], lines: readonly Line[], layout: Layout): string {
  const rows = [
    columns.map(({ heading }) => heading),
    ...lines.filter(({ out }) => out === null).map((line) => columns.map(({ cell }) => cell(line))),
  ];
  if (layout === 'markdown') {
    const rule = columns.map(({ right }) => (right ? '--:' : '---'));
    return [rows[0], rule, ...rows.slice(1)].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  }
  return aligned(rows, (column) => columns[column].right ?? false);
}

/** Contenders without figures and why, each reason once. */
export function absences(lines: readonly Line[]): string[] {
  const reasons = lines
    .filter(({ out }) => out !== null)
    .map(({ contender, preset, batchSize, hello, out }) => {
      if (!hello) return `${contender}: ${out}`;
      return `${contender}, ${preset}, ${batchSize === null ? 'ranking' : `batch ${batchSize}`}: ${out}`;
    });
  return [...new Set(reasons)];
}
