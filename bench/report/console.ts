import cliProgress from 'cli-progress';
import type { EpochEvent, Metrics, StartEvent } from '../../src/train/history.ts';
import type { Display, Progress } from './display.ts';
import {
  describeAdapter,
  describeChoice,
  describeModel,
  formatCount,
  formatDuration,
  formatRate,
  formatScore,
  formatSeconds,
  MISSING,
} from './format.ts';

const HEADINGS = ['epoch', 'loss', 'HR@10', 'NDCG@10', 'seconds', 'eval s', 'samples/s'];
/** Characters of every column but the first, which is as wide as the longest baseline's name. */
const COLUMN = 9;

/** One line of the table: all cells to the right, so that the points stand under each other. */
const row = (cells: readonly string[], firstColumn: number): string =>
  cells.map((cell, column) => cell.padStart(column === 0 ? firstColumn : COLUMN)).join(' ');

const baselineCells = (name: string, metrics: Metrics): string[] => [
  name,
  MISSING,
  formatScore(metrics['hr@10']),
  formatScore(metrics['ndcg@10']),
  MISSING,
  MISSING,
  MISSING,
];

const epochCells = (event: EpochEvent): string[] => [
  String(event.epoch),
  formatScore(event.loss),
  formatScore(event['hr@10']),
  formatScore(event['ndcg@10']),
  formatSeconds(event.seconds),
  formatSeconds(event.evalSeconds),
  formatRate(event.samplesPerSecond),
];

const headerLines = (event: StartEvent): string[] => [
  `data      ${event.data}: ${formatCount(event.users)} users × ${formatCount(event.items)} items, ${formatCount(event.interactions)} interactions`,
  `model     ${describeModel(event)}, ${formatCount(event.parameters)} parameters`,
  `adapter   ${describeAdapter(event)}`,
  `protocol  ${event.protocol}; ${formatCount(event.testedUsers)} users tested`,
  ...event.notes.map((note) => `note      ${note}`),
];

/** cli-progress draws; its own estimate of the end knows only this epoch, so the run's is handed in. */
function openBar(stream: NodeJS.WritableStream, epochs: number, { epoch, total }: Progress) {
  const bars = new cliProgress.MultiBar(
    {
      stream,
      format: `epoch ${epoch}/${epochs} {bar} {percentage}%  loss {loss}  {rate} samples/s  run ends in {eta_run}`,
      barsize: 20,
      autopadding: true, // what follows the percentage stands still
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false, // the command line has its own Ctrl-C: checkpoint and report first
    },
    cliProgress.Presets.shades_classic,
  );
  return { epoch, bars, bar: bars.create(total, 0, { loss: MISSING, rate: MISSING, eta_run: MISSING }) };
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
  let firstColumn = HEADINGS[0].length;
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
    stream.write(`${lines.join('\n')}\n`);
  };

  return {
    start(event) {
      const baselines = Object.entries(event.baselines);
      firstColumn = Math.max(firstColumn, ...baselines.map(([name]) => name.length));
      const rows = [HEADINGS, ...baselines.map(([name, metrics]) => baselineCells(name, metrics))];
      print(...headerLines(event), '', ...rows.map((cells) => row(cells, firstColumn)));
    },
    progress(progress) {
      if (!stream.isTTY) return;
      if (live?.epoch !== progress.epoch) close();
      live ??= openBar(stream, epochs, progress);
      live.bar.update(progress.done, {
        loss: Number.isNaN(progress.loss) ? MISSING : formatScore(progress.loss),
        rate: formatRate(progress.samplesPerSecond),
        eta_run: formatDuration(progress.etaSeconds),
      });
    },
    epoch(event) {
      finished++;
      if (event['hr@10'] !== undefined) evaluated++;
      print(row(epochCells(event), firstColumn));
    },
    end({ best, seconds, stopped, weightsSha256 }) {
      const result = best
        ? `best      epoch ${best.epoch}: HR@10 ${formatScore(best['hr@10'])}, NDCG@10 ${formatScore(best['ndcg@10'])} (${describeChoice(evaluated, finished)})`
        : 'best      none: no epoch was evaluated';
      const time = `time      ${formatDuration(seconds)}${stopped ? `, stopped before epoch ${epochs} was finished` : ''}`;
      print('', result, time, `weights   sha256 ${weightsSha256}`);
    },
    close,
  };
}
