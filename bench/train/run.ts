import type { Dataset } from '../../src/data/dataset.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import type { EndEvent } from '../../src/train/history.ts';
import { Pretraining } from '../../src/train/pretrain.ts';
import { Trainer, type TrainerOptions } from '../../src/train/trainer.ts';
import { verdict } from '../../src/train/verdict.ts';
import { createConsole } from '../report/console.ts';
import type { Run } from '../report/html.ts';
import { createJsonLines } from '../report/json-lines.ts';
import { type Fitted, fitBaselines, withBaselines } from './baselines.ts';
import type { Beginning } from './beginning.ts';
import { Eta } from './eta.ts';
import type { TrainOptions } from './options.ts';
import type { RunFolder } from './run-folder.ts';
import { startEvent } from './start.ts';

/** What a run is made of. */
export interface RunInput {
  readonly gpu: Gpu;
  readonly dataset: Dataset;
  readonly beginning: Beginning;
  readonly folder: RunFolder;
  readonly options: TrainOptions;
  readonly signal: AbortSignal;
  /** What --baselines gave in an earlier run under the same protocols. */
  readonly fitted?: Fitted;
}

/** A run to its end. */
export interface FinishedRun extends Run {
  readonly end: EndEvent;
  readonly fitted: Fitted;
}

/** Trains one model to its last epoch, or until the signal; shows it, and writes its files after every epoch. */
export async function runOnce(input: RunInput): Promise<FinishedRun> {
  const { gpu, dataset, beginning, folder, options, signal } = input;
  const { settings, pretrain } = beginning;
  const { stepsPerSubmit } = options;
  const eta = new Eta();
  const trainerOptions: TrainerOptions = {
    signal,
    ...(stepsPerSubmit === undefined ? {} : { stepsPerSubmit }),
    onProgress: (progress) => {
      const epochs = progress.branch ? pretraining!.settings.epochs : trainer.settings.epochs;
      display.progress({ ...progress, epochs, ...eta.progress(progress, { ...trainer.settings, epochs }) });
    },
  };
  const pretraining = pretrain && (await Pretraining.create(gpu, dataset.split, settings, pretrain, trainerOptions));
  const trainer = pretraining?.trainer ?? (await Trainer.create(gpu, dataset.split, settings, trainerOptions));
  await beginning.begin(trainer, pretraining, dataset);
  const display = options.json
    ? createJsonLines(process.stdout)
    : createConsole({ stream: process.stdout, epochs: trainer.settings.epochs });
  try {
    const began = performance.now();
    const fitted = input.fitted ?? (options.baselines ? await fitBaselines(trainer, display, signal) : {});
    const given = {
      data: options.data,
      settings: pretraining ? { pretrain: pretraining.settings } : {},
      notes: beginning.notes(dataset),
    };
    const start = withBaselines(startEvent(gpu, dataset, trainer, given), fitted);
    const branches = pretraining?.history ?? [];
    const checkpoint = () => pretraining?.encodeCheckpoint(dataset) ?? encodeCheckpoint(trainer, dataset);
    const before = [...branches, ...trainer.history]; // a checkpoint
    folder.start(start, before);
    display.start(start);
    for (const epoch of before) display.epoch(epoch);
    for await (const epoch of pretraining ?? trainer) {
      display.epoch(epoch);
      folder.epoch(epoch);
      eta.epoch(epoch);
      folder.writeCheckpoint(await checkpoint());
      folder.writeReport({ start, branches, epochs: trainer.history, end: null });
    }
    if (trainer.stopped) folder.writeCheckpoint(await checkpoint());
    const end: EndEvent = {
      event: 'end',
      best: trainer.best,
      ...(await verdict(trainer, start.baselines)),
      weightsSha256: await trainer.weightsSha256(),
      seconds: (performance.now() - began) / 1000,
      stopped: trainer.stopped,
    };
    folder.end(end);
    folder.writeReport({ start, branches, epochs: trainer.history, end });
    display.end(end);
    if (!options.json) console.log(`wrote ${folder.files.join(', ')}`);
    return { start, branches, epochs: trainer.history, end, fitted };
  } finally {
    display.close();
  }
}
