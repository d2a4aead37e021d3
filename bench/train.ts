/** Trains a recommender from the command line: `node bench/train.ts --help`. */
import { Command } from 'commander';
import { ConfigError } from '../src/errors.ts';
import { resolveSettings } from '../src/train/settings.ts';
import { openDataset } from './dataset.ts';
import { runProgram, withGpu } from './program.ts';
import { beginningOf } from './train/beginning.ts';
import { addTrainOptions, givenSettings, type TrainOptions } from './train/options.ts';
import { runOnce } from './train/run.ts';
import { RunFolder } from './train/run-folder.ts';
import { runMany } from './train/runs.ts';

/** As shells have it for Ctrl-C. */
const STOPPED = 130;

const program = new Command('node bench/train.ts').description(
  'Trains MF, GMF, MLP, NeuMF or a two-tower model on implicit feedback with WebGPU and writes a checkpoint, a history and a report.',
);
addTrainOptions(program);

await runProgram(program, async (options: TrainOptions) => {
  if (options.runs > 1 && options.resume !== undefined) {
    throw new ConfigError(
      `--resume with --runs ${options.runs}: one run goes on from a checkpoint; --resume ${options.resume} alone would be right`,
    );
  }
  const folder = new RunFolder(options.out);
  const beginning = beginningOf(options, givenSettings(options));
  const { validation, evalSeed: seed } = resolveSettings(beginning.settings);
  const { format } = options;
  const knownIds = beginning.ids;
  const dataset = await openDataset(options.data, { format, ...columns(options), knownIds, validation, seed });
  return withGpu(options, async (gpu) => {
    const signal = interruptSignal();
    const input = { gpu, dataset, beginning, options, signal };
    try {
      const stopped = options.runs > 1 ? await runMany(input) : (await runOnce({ ...input, folder })).end.stopped;
      return stopped ? STOPPED : 0;
    } catch (error) {
      if (error !== signal.reason) throw error;
      console.error('note: stopped while the baselines were fitted, so nothing was trained and nothing is written');
      return STOPPED;
    }
  });
});

/** Aborts at the first Ctrl-C, so that checkpoint and report are written; a second one ends the process at once. */
function interruptSignal(): AbortSignal {
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return stop.signal;
}

function columns({ userColumn, itemColumn, timestampColumn }: TrainOptions) {
  if (userColumn === undefined && itemColumn === undefined && timestampColumn === undefined) return {};
  if (userColumn === undefined || itemColumn === undefined) {
    throw new ConfigError(
      'columns are given together: --user-column and --item-column, and --timestamp-column where there is a time',
    );
  }
  const timestamp = timestampColumn === undefined ? {} : { timestamp: timestampColumn };
  return { columns: { user: userColumn, item: itemColumn, ...timestamp } };
}
