import type { Gpu } from '../gpu/device.ts';
import type { Pacer } from '../gpu/pacer.ts';
import { type Plan, runPlans } from '../gpu/plan.ts';
import type { BranchKind } from './fine-tuning.ts';
import type { Losses } from './losses.ts';
import type { BatchSampler } from './sampler.ts';
import type { Watch, WatchedEpoch } from './watch.ts';

/** Where an epoch stands; sent a few times a second. */
export interface TrainProgress {
  /** 1 for the first. */
  readonly epoch: number;
  /** Samples of this epoch that were trained on, of `total`. */
  readonly done: number;
  readonly total: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
  /** In pre-training, what is trained. */
  readonly branch?: BranchKind;
}

/** What is to be done within epochs, between two steps and with none in flight. */
export interface Interlude {
  /** Asked after every submit. */
  due(): boolean;
  hold(): Promise<void>;
}

export interface EpochOptions extends WatchedEpoch {
  readonly gpu: Gpu;
  readonly sampler: BatchSampler;
  readonly losses: Losses;
  /** The step of a full batch, and that of the last batch of an epoch. */
  readonly full: Plan;
  readonly last: Plan;
  readonly pacer: Pacer;
  readonly watch: Watch;
  /** 1 for the first. */
  readonly epoch: number;
  readonly signal?: AbortSignal | undefined;
  readonly interlude?: Interlude | undefined;
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
}

const PROGRESS_MS = 250;

/**
 * Takes the steps of an epoch that are left, many in a submit, until the signal ends it or an interlude is due; then all
 * that were submitted are done, and their losses read.
 * @param done steps of the epoch that were taken before
 * @returns steps of the epoch that are taken now. Throws NonFiniteError when a step leaves the numbers, after at most two
 *   submits more than the one it was in: those that were in flight with it.
 */
export async function trainEpoch(done: number, options: EpochOptions): Promise<number> {
  const { gpu, sampler, losses, full, last, pacer, watch, epoch, signal, interlude, onProgress } = options;
  const { batches } = sampler;
  let report: Promise<void> = Promise.resolve();
  let reporting = false;
  let lastReport = performance.now();
  let batch = done;
  while (batch < batches && !signal?.aborted && !(batch > done && interlude?.due())) {
    const repeats = Math.min(pacer.repeats, batches - batch);
    const first = batch;
    runPlans(gpu, 'train', (replay) => {
      for (let i = first; i < first + repeats; i++) replay(i === batches - 1 ? last : full);
    });
    batch += repeats;
    if (!reporting && performance.now() - lastReport > PROGRESS_MS) {
      reporting = true;
      const upTo = batch;
      report = losses.read(upTo).then(() => {
        const [done, total] = [sampler.samplesBefore(upTo), sampler.samplesBefore(batches)];
        onProgress?.({ epoch, done, total, loss: losses.mean(upTo) });
        lastReport = performance.now();
        reporting = false;
      });
      report.catch(() => {}); // it is awaited below; until then it must not count as unhandled
    }
    await pacer.submitted(repeats, watch.check(options));
  }
  await report;
  await pacer.drain();
  if (batch > 0) await losses.read(batch);
  return batch;
}
