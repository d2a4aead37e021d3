/** Trains a recommender from the command line: `node bench/train.ts --help`. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ConfigError, DataError } from '../src/errors.ts';
import { checkpointInfo } from '../src/train/checkpoint.ts';
import { resolveSettings, type TrainSettings } from '../src/train/settings.ts';
import { openDataset } from './dataset.ts';
import { runProgram, withGpu } from './program.ts';
import { addTrainOptions, givenSettings, type TrainOptions } from './train/options.ts';
import { type Checkpoint, runOnce } from './train/run.ts';
import { RunFolder } from './train/run-folder.ts';
import { runMany } from './train/runs.ts';

const program = new Command('node bench/train.ts').description(
  'Trains NeuMF, GMF or MLP on implicit feedback with WebGPU and writes a checkpoint, a history and a report.',
);
addTrainOptions(program);

await runProgram(program, async (options: TrainOptions) => {
  if (options.runs > 1 && options.resume !== undefined) {
    throw new ConfigError(
      `--resume with --runs ${options.runs}: one run goes on from a checkpoint; --resume ${options.resume} alone would be right`,
    );
  }
  const folder = new RunFolder(options.out);
  const checkpoint = options.resume === undefined ? null : readFile(options.resume);
  const settings = settingsOf(checkpoint, options);
  const { validation, evalSeed: seed } = resolveSettings(settings);
  const dataset = await openDataset(options.data, { format: options.format, ...columns(options), validation, seed });
  return withGpu(options, async (gpu) => {
    const input = { gpu, dataset, settings, options, signal: interruptSignal() };
    const stopped =
      options.runs > 1 ? await runMany(input) : (await runOnce({ ...input, folder, checkpoint })).end.stopped;
    return stopped ? 130 : 0; // as shells have it
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

/** Given settings stand on the checkpoint's; but a preset names all sizes, so it replaces them. */
function settingsOf(checkpoint: Checkpoint | null, options: TrainOptions): Partial<TrainSettings> {
  const given = givenSettings(options);
  if (!checkpoint || given.preset) return given;
  return { ...checkpointInfo(checkpoint.bytes, checkpoint.name).settings, ...given };
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

function readFile(path: string): Checkpoint {
  try {
    return { bytes: new Uint8Array(readFileSync(path)), name: path };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DataError(`${path}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
}
