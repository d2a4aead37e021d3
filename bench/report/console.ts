import cliProgress from 'cli-progress';
import type { Evaluated } from '../../src/evaluate/evaluation.ts';
import { CUTOFF } from '../../src/evaluate/metrics.ts';
import { printable } from '../../src/printable.ts';
import { type EpochEvent, hitRateAt10, judged, type StartEvent } from '../../src/train/history.ts';
import type { Display } from './display.ts';
import {
  describeAdapter,
  describeEpoch,
  describeModel,
  describeRecovery,
  formatCount,
  formatDuration,
  formatRate,
  formatScore,
  formatSeconds,
  MISSING,
} from './format.ts';
import { type Protocol, protocolsOf } from './protocols.ts';
import { summaryLines } from './summary.ts';

/** Characters of every column but the first, which is as wide as the longest baseline's name. */
const COLUMN = 9;

/** One line of the table: all cells to the right, so that the points stand under each other. */
const row = (cells: readonly string[], firstColumn: number): string =>
  cells
    .map((cell, column) => cell.padStart(column === 0 ? firstColumn : COLUMN))
    .join(' ')
    .trimEnd();

const headings = (protocols: readonly Protocol[]): string[][] => {
  const metrics = protocols.flatMap(() => [`HR@${CUTOFF}`, `NDCG@${CUTOFF}`]);
  const names = ['epoch', 'loss', ...metrics, 'seconds', 'eval s', 'samples/s'];
  return protocols.length < 2 ? [names] : [['', '', ...protocols.flatMap(({ key }) => ['', key])], names];
};

const metricCells = (evaluated: Evaluated, protocols: readonly Protocol[]): string[] =>
  protocols.flatMap(({ metricsIn }) => {
    const { 'hr@10': hr, 'ndcg@10': ndcg } = metricsIn(evaluated);
    return [formatScore(hr), formatScore(ndcg)];
  });

const baselineCells = (name: string, metrics: readonly string[]): string[] => [
  name,
  MISSING,
  ...metrics,
  MISSING,
  MISSING,
  MISSING,
];

const epochCells = (event: EpochEvent, metrics: readonly string[]): string[] => [
  describeEpoch(event),
  formatScore(event.loss),
  ...metrics,
  formatSeconds(event.seconds),
  formatSeconds(event.evalSeconds),
  formatRate(event.samplesPerSecond),
];

const protocolLines = (protocols: readonly Protocol[], testedUsers: number): string[] => {
  const tested = `${formatCount(testedUsers)} users tested`;
  if (protocols.length === 0) return ['protocol  none: nothing is evaluated'];
  if (protocols.length === 1) return [`protocol  ${protocols[0].name}; ${tested}`];
  return protocols.map(({ key, name }) => `${key.padEnd(9)} ${name}; ${tested}`);
};

const headerLines = (event: StartEvent): string[] => [
  `data      ${event.data}: ${formatCount(event.users)} users × ${formatCount(event.items)} items, ${formatCount(event.interactions)} interactions`,
  `model     ${describeModel(event)}, ${formatCount(event.parameters)} parameters`,
  `adapter   ${describeAdapter(event)}`,
  ...protocolLines(protocolsOf(event), event.testedUsers),
  ...(event.validation
    ? [
        `validated on one item of ${formatCount(event.validation.testedUsers)} users each, as in the table; the best epoch is then tested`,
      ]
    : []),
  ...event.notes.map((note) => `note      ${note}`),
];

/** @param total of the values that it is updated with */
function openBar(stream: NodeJS.WritableStream, name: string, fields: string, total: number) {
  const bars = new cliProgress.MultiBar(
    {
      stream,
      format: `${name} {bar} {percentage}%${fields}`,
      barsize: 20,
      autopadding: true, // what follows the percentage stands still
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false, // the command line has its own Ctrl-C: checkpoint and report first
    },
    cliProgress.Presets.shades_classic,
  );
  return { name, bars, bar: bars.create(total, 0, { loss: MISSING, rate: MISSING, eta_run: MISSING }) };
}

/**
 * The display for a person: a header, the baselines and the epochs as rows of one table, and below them, on a
 * terminal only, a bar. A stream that is no terminal (a file, a pipe) gets the same rows and no bar.
 * @param epochs the run's last epoch.
 */
export function createConsole(options: {
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly epochs: number;
}): Display {
  const { stream, epochs } = options;
  let firstColumn = 'epoch'.length;
  let protocols: readonly Protocol[] = [];
  let baselines: StartEvent['baselines'] = {};
  let finished = 0;
  let evaluated = 0;
  let live: ReturnType<typeof openBar> | null = null;

  const close = () => {
    live?.bars.stop();
    live = null;
  };
  /** The bar is taken away first and drawn anew by the next progress, so a row always stands above it. */
  const print = (...lines: string[]) => {
    close();
    stream.write(`${lines.map(printable).join('\n')}\n`);
  };

  /** On a terminal, moves the bar of that name, which takes the place of another. */
  const moveBar = (name: string, fields: string, total: number, done: number, values = {}) => {
    if (!stream.isTTY) return;
    if (live?.name !== name) close();
    live ??= openBar(stream, name, fields, total);
    live.bar.update(done, values);
  };

  return {
    fitting(baseline, share) {
      moveBar(baseline, '', 1, share);
    },
    start(event) {
      baselines = event.baselines;
      const shown = Object.entries((event.validation ?? event).baselines);
      firstColumn = Math.max(firstColumn, ...shown.map(([name]) => name.length));
      protocols = protocolsOf(event);
      const rows = [
        ...headings(protocols),
        ...shown.map(([name, metrics]) => baselineCells(name, metricCells(metrics, protocols))),
      ];
      print(...headerLines(event), '', ...rows.map((cells) => row(cells, firstColumn)));
    },
    progress({ branch, epoch, epochs: planned, done, total, loss, samplesPerSecond, etaSeconds, atMost }) {
      // cli-progress's own estimate of the end knows only this epoch, so the run's is handed in
      const fields = `  loss {loss}  {rate} samples/s  ${branch ?? 'run'} ends in ${atMost ? 'at most ' : ''}{eta_run}`;
      moveBar(`${branch ? `${branch} ` : ''}epoch ${epoch}/${planned}`, fields, total, done, {
        loss: Number.isNaN(loss) ? MISSING : formatScore(loss),
        rate: formatRate(samplesPerSecond),
        eta_run: formatDuration(etaSeconds),
      });
    },
    epoch(event) {
      const figures = judged(event);
      if (!event.branch) finished++;
      if (!event.branch && hitRateAt10(figures) !== undefined) evaluated++;
      print(row(epochCells(event, metricCells(figures, protocols)), firstColumn));
    },
    recovered(event) {
      print(`note      ${describeRecovery(event)}`);
    },
    note({ note }) {
      print(`note      ${note}`);
    },
    end(event) {
      print('', ...summaryLines(event, protocols, { epochs, finished, evaluated, baselines }));
    },
    close,
  };
}
