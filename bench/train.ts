/** Trains a recommender from the command line: `node bench/train.ts --help`. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ConfigError, DataError } from '../src/errors.ts';
import { Gpu } from '../src/gpu/device.ts';
import { checkpointInfo, encodeCheckpoint, restoreCheckpoint } from '../src/train/checkpoint.ts';
import { bestEpoch, type EndEvent, type StartEvent } from '../src/train/history.ts';
import { Trainer } from '../src/train/trainer.ts';
import { openDataset } from './dataset.ts';
import { runProgram } from './program.ts';
import { createConsole } from './report/console.ts';
import { createJsonLines } from './report/json-lines.ts';
import { Eta } from './train/eta.ts';
import { addTrainOptions, givenSettings, type TrainOptions } from './train/options.ts';
import { RunFolder } from './train/run-folder.ts';
import { startEvent } from './train/start.ts';

const program = new Command('train').description(
  'Trains NeuMF, GMF or MLP on implicit feedback with WebGPU and writes a checkpoint, a history and a report.',
);
addTrainOptions(program);

await runProgram(program, async (options: TrainOptions) => {
  const folder = new RunFolder(options.out);
  const checkpoint = options.resume === undefined ? null : readFile(options.resume);
  const info = checkpoint && checkpointInfo(checkpoint, options.resume!);
  const given = givenSettings(options);
  // A preset names all sizes, so it replaces the checkpoint's; single settings are put on top of them.
  const settings = info && !given.preset ? { ...info.settings, ...given } : given;
  const dataset = await openDataset(options.data, { format: options.format, ...columns(options) });

  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(130); // asked twice
    stop.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);

  using gpu = await Gpu.open({ adapter: options.adapter });
  if (gpu.adapterKind === 'software') {
    console.error(`note: ${gpu.adapterName} is a software adapter, so this is slow${gpu.hint ? `; ${gpu.hint}` : ''}`);
  }
  const eta = new Eta();
  const trainer = await Trainer.create(gpu, dataset.split, settings, {
    signal: stop.signal,
    ...(options.stepsPerSubmit === undefined ? {} : { stepsPerSubmit: options.stepsPerSubmit }),
    onProgress: (progress) => display.progress({ ...progress, ...eta.progress(progress, trainer) }),
  });
  if (checkpoint) restoreCheckpoint(trainer, checkpoint, options.resume!);
  const display = options.json
    ? createJsonLines(process.stdout)
    : createConsole({ stream: process.stdout, epochs: trainer.settings.epochs });

  try {
    const began = performance.now();
    const start: StartEvent = startEvent(gpu, dataset, trainer, options.data);
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
    const end: EndEvent = {
      event: 'end',
      best: bestEpoch(trainer.history),
      weightsSha256: await trainer.weightsSha256(),
      seconds: (performance.now() - began) / 1000,
      stopped: trainer.stopped,
    };
    if (trainer.stopped) folder.writeCheckpoint(await encodeCheckpoint(trainer, dataset));
    folder.end(end);
    folder.writeReport(start, trainer.history, end);
    display.end(end);
    if (!options.json) console.log(`wrote ${folder.files.join(', ')}`);
    return trainer.stopped ? 130 : 0;
  } finally {
    display.close();
  }
});

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
