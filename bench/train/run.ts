import type { Dataset } from '../../src/data/dataset.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import type { EndEvent } from '../../src/train/history.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { verdict } from '../../src/train/verdict.ts';
import { createConsole } from '../report/console.ts';
import type { Run } from '../report/html.ts';
import { createJsonLines } from '../report/json-lines.ts';
import { Eta } from './eta.ts';
import type { TrainOptions } from './options.ts';
import type { RunFolder } from './run-folder.ts';
import { startEvent } from './start.ts';

/** A checkpoint file as it was read. */
export interface Checkpoint {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly name: string;
}

/** What a run is made of. */
export interface RunInput {
  readonly gpu: Gpu;
  readonly dataset: Dataset;
  readonly settings: Partial<TrainSettings>;
  readonly folder: RunFolder;
  /** What it goes on from. */
  readonly checkpoint: Checkpoint | null;
  readonly options: TrainOptions;
  readonly signal: AbortSignal;
}

/** Trains one model to its last epoch, or until the signal; shows it, and writes its files after every epoch. */
export async function runOnce(input: RunInput): Promise<Run & { readonly end: EndEvent }> {
  const { gpu, dataset, settings, folder, checkpoint, options, signal } = input;
  const { stepsPerSubmit } = options;
  const eta = new Eta();
  const trainer = await Trainer.create(gpu, dataset.split, settings, {
    signal,
    ...(stepsPerSubmit === undefined ? {} : { stepsPerSubmit }),
    onProgress: (progress) => display.progress({ ...progress, ...eta.progress(progress, trainer) }),
  });
  if (checkpoint) restoreCheckpoint(trainer, checkpoint.bytes, checkpoint.name, dataset);
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
      best: trainer.best,
      ...(await verdict(trainer, start.baselines)),
      weightsSha256: await trainer.weightsSha256(),
      seconds: (performance.now() - began) / 1000,
      stopped: trainer.stopped,
    };
    folder.end(end);
    folder.writeReport(start, trainer.history, end);
    display.end(end);
    if (!options.json) console.log(`wrote ${folder.files.join(', ')}`);
    return { start, epochs: trainer.history, end };
  } finally {
    display.close();
  }
}
