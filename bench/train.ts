/** Trains a recommender from the command line: `node bench/train.ts --help`. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Dataset } from '../src/data/dataset.ts';
import { ConfigError, DataError } from '../src/errors.ts';
import type { Gpu } from '../src/gpu/device.ts';
import { checkpointInfo, encodeCheckpoint, restoreCheckpoint } from '../src/train/checkpoint.ts';
import { bestEpoch, type EndEvent } from '../src/train/history.ts';
import type { TrainSettings } from '../src/train/settings.ts';
import { Trainer } from '../src/train/trainer.ts';
import { openDataset } from './dataset.ts';
import { runProgram, withGpu } from './program.ts';
import { createConsole } from './report/console.ts';
import { createJsonLines } from './report/json-lines.ts';
import { Eta } from './train/eta.ts';
import { addTrainOptions, givenSettings, type TrainOptions } from './train/options.ts';
import { RunFolder } from './train/run-folder.ts';
import { startEvent } from './train/start.ts';

const program = new Command('node bench/train.ts').description(
  'Trains NeuMF, GMF or MLP on implicit feedback with WebGPU and writes a checkpoint, a history and a report.',
);
addTrainOptions(program);

await runProgram(program, async (options: TrainOptions) => {
  const folder = new RunFolder(options.out);
  const checkpoint = options.resume === undefined ? null : readFile(options.resume);
  const dataset = await openDataset(options.data, { format: options.format, ...columns(options) });
  return withGpu(options, (gpu) => train(gpu, dataset, folder, checkpoint, options));
});

/** Gives the exit code: 130 when it was stopped by Ctrl-C, as shells have it. */
async function train(
  gpu: Gpu,
  dataset: Dataset,
  folder: RunFolder,
  checkpoint: Uint8Array<ArrayBuffer> | null,
  options: TrainOptions,
): Promise<number> {
  const { stepsPerSubmit, resume = '' } = options;
  const eta = new Eta();
  const trainer = await Trainer.create(gpu, dataset.split, settingsOf(checkpoint, options), {
    signal: interruptSignal(),
    ...(stepsPerSubmit === undefined ? {} : { stepsPerSubmit }),
    onProgress: (progress) => display.progress({ ...progress, ...eta.progress(progress, trainer) }),
  });
  if (checkpoint) restoreCheckpoint(trainer, checkpoint, resume, dataset);
  const display = options.json
    ? createJsonLines(process.stdout)
    : createConsole({ stream: process.stdout, epochs: trainer.settings.epochs });
  try {
    const began = performance.now();
    const start = startEvent(gpu, dataset, trainer, options.data);
    folder.start(start, trainer.history);
    display.start(start);
    for (const epoch of trainer.history) display.epoch(epoch); // those before a checkpoint
    for await (const epoch of trainer) {
      display.epoch(epoch);
      folder.epoch(epoch);
      eta.epoch(epoch);
      folder.writeCheckpoint(await encodeCheckpoint(trainer, dataset));
      folder.writeReport(start, trainer.history, null);
    }
    if (trainer.stopped) folder.writeCheckpoint(await encodeCheckpoint(trainer, dataset));
    const end: EndEvent = {
      event: 'end',
      best: bestEpoch(trainer.history),
      weightsSha256: await trainer.weightsSha256(),
      seconds: (performance.now() - began) / 1000,
      stopped: trainer.stopped,
    };
    folder.end(end);
    folder.writeReport(start, trainer.history, end);
    display.end(end);
    if (!options.json) console.log(`wrote ${folder.files.join(', ')}`);
    return trainer.stopped ? 130 : 0;
  } finally {
    display.close();
  }
}

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
function settingsOf(checkpoint: Uint8Array<ArrayBuffer> | null, options: TrainOptions): Partial<TrainSettings> {
  const given = givenSettings(options);
  if (!checkpoint || given.preset) return given;
  return { ...checkpointInfo(checkpoint, options.resume!).settings, ...given };
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

function readFile(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DataError(`${path}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
}
