import type { Dataset } from '../../src/data/dataset.ts';
import { DeviceLostError, NonFiniteError } from '../../src/errors.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { EndEvent, NoteEvent } from '../../src/train/history.ts';
import { LastingRun } from '../../src/train/lasting-run.ts';
import type { Trainer } from '../../src/train/trainer.ts';
import { verdict } from '../../src/train/verdict.ts';
import { createConsole } from '../report/console.ts';
import { describeRecovery } from '../report/format.ts';
import type { Run } from '../report/html.ts';
import { createJsonLines } from '../report/json-lines.ts';
import { batchCsv, describeNonFinite } from '../report/non-finite.ts';
import { type Fitted, fitBaselines, withBaselines } from './baselines.ts';
import type { Beginning } from './beginning.ts';
import { Eta } from './eta.ts';
import type { TrainOptions } from './options.ts';
import { RunFolder } from './run-folder.ts';
import { startEvent } from './start.ts';

/** What a run is made of. */
export interface RunInput {
  /** What is trained on: another one afterwards, where it was lost. */
  readonly device: { gpu: Gpu };
  readonly dataset: Dataset;
  readonly beginning: Beginning;
  /** The folder of the run's files. */
  readonly out: string;
  readonly options: TrainOptions;
  readonly signal: AbortSignal;
  /** What --baselines gave in an earlier run under the same protocols. */
  readonly fitted?: Fitted;
}

/** How a run or a series of runs ended. */
export interface Outcome {
  /** By the signal, before all was trained. */
  readonly stopped: boolean;
  /** Why the last state of a file could not be written; null when all are. */
  readonly trouble: string | null;
}

/** A run to its end. */
export interface FinishedRun extends Run, Outcome {
  readonly end: EndEvent;
  readonly fitted: Fitted;
}

/**
 * Trains one model to its last epoch, or until the signal; shows it, and writes its files after every epoch, checkpoints
 * also within long ones. Files that cannot be written do not end it once it has begun.
 */
export async function runOnce(input: RunInput): Promise<FinishedRun> {
  const { device, dataset, beginning, out, options, signal } = input;
  const { settings, pretrain } = beginning;
  const { stepsPerSubmit, checkpointEvery } = options;
  const eta = new Eta();
  /** What the report is to say besides the start's notes. */
  const notes: string[] = [];
  let started = false;
  let kept: Uint8Array | null = null;
  const folder = new RunFolder(out, (note) => {
    const event: NoteEvent = { event: 'note', note };
    notes.push(note);
    folder.append(event);
    display.note(event);
  });
  const run = await LastingRun.create(device.gpu, dataset, settings, {
    signal,
    pretrain,
    begin: (trainer, pretraining) => beginning.begin(trainer, pretraining, dataset),
    ...(stepsPerSubmit === undefined ? {} : { stepsPerSubmit }),
    ...(checkpointEvery === undefined ? {} : { keepSeconds: 60 * checkpointEvery }),
    onProgress: (progress) => {
      const { trainer, pretraining } = run;
      const { epochs } = progress.branch ? pretraining!.settings : trainer.settings;
      display.progress({ ...progress, epochs, ...eta.progress(progress, { ...trainer.settings, epochs }) });
    },
    onKept: (checkpoint) => {
      kept = checkpoint;
      folder.writeCheckpoint(checkpoint);
    },
    onRecovered: (event) => {
      notes.push(describeRecovery(event));
      if (!started) return; // the start's notes will say it
      folder.append(event);
      display.recovered(event);
    },
  });
  const display = options.json
    ? createJsonLines(process.stdout)
    : createConsole({ stream: process.stdout, epochs: run.trainer.settings.epochs });
  try {
    const began = performance.now();
    const fitted =
      input.fitted ??
      (options.baselines ? await run.withTrainer((trainer) => fitBaselines(trainer, display, signal)) : {});
    const given = {
      data: options.data,
      settings: run.pretraining ? { pretrain: run.pretraining.settings } : {},
      notes: [...beginning.notes(dataset), ...run.trainer.rewinds.map(describeRecovery), ...notes],
    };
    const start = withBaselines(startEvent(run.gpu, dataset, run.trainer, given), fitted);
    const before = [...(run.pretraining?.history ?? []), ...run.trainer.history]; // a checkpoint
    const known = notes.length;
    const told = (): Run => ({
      start: { ...start, notes: [...start.notes, ...notes.slice(known)] },
      branches: run.pretraining?.history ?? [],
      epochs: run.trainer.history,
      end: null,
    });
    folder.start(start, before);
    display.start(start);
    started = true;
    for (const epoch of before) display.epoch(epoch);
    for await (const epoch of run) {
      display.epoch(epoch);
      folder.append(epoch);
      eta.epoch(epoch);
      folder.writeReport(told());
    }
    const end = await run.withTrainer(
      async (trainer): Promise<EndEvent> => ({
        event: 'end',
        best: trainer.best,
        ...(await verdict(trainer, start.baselines)),
        weightsSha256: await trainer.weightsSha256(),
        seconds: (performance.now() - began) / 1000,
        stopped: trainer.stopped,
      }),
    );
    if (kept && folder.lacksCheckpoint) folder.writeCheckpoint(kept);
    folder.append(end);
    const finished = { ...told(), end };
    folder.writeReport(finished);
    display.end(end);
    const { trouble } = folder;
    if (!options.json && !trouble) console.log(`wrote ${folder.files.join(', ')}`);
    return { ...finished, fitted, stopped: end.stopped, trouble };
  } catch (error) {
    if (error instanceof NonFiniteError) throw new NonFiniteError(explain(error, input, folder, run.trainer), error);
    if (!(error instanceof DeviceLostError) || !folder.checkpoint) throw error;
    throw new DeviceLostError(`${error.message}; --resume ${folder.checkpoint} goes on from the last kept state`);
  } finally {
    display.close();
    device.gpu = run.gpu;
  }
}

/** What went wrong, in which batch, what is left and what may help. */
function explain(
  error: NonFiniteError,
  { dataset, options }: RunInput,
  folder: RunFolder,
  { settings }: Trainer,
): string {
  const batch = error.users.length > 0 ? `, ${folder.writeBatch(batchCsv(error, dataset))}` : '';
  const checkpoint = folder.checkpoint ?? options.resume;
  const kept = checkpoint ? `the last good checkpoint is ${checkpoint}` : 'there was no checkpoint yet';
  const helps =
    settings.onNan === 'stop' ? 'a smaller --lr, --clip-norm or --on-nan rewind' : 'a smaller --lr or --clip-norm';
  return `${describeNonFinite(error, dataset)}${batch}; ${kept}; ${helps} may help`;
}
