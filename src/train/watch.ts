import { Clock } from '../autograd/clock.ts';
import { record } from '../autograd/tape.ts';
import { NonFiniteError } from '../errors.ts';
import type { BatchSampler } from './sampler.ts';
import type { Batch } from './step.ts';

/** The epoch that is watched. */
export interface WatchedEpoch {
  /** Learning rate. */
  readonly lr: number;
  /** Whether the model chooses the negatives of its batches. */
  readonly hard: boolean;
}

/**
 * Asks after every submit whether one of its steps left the numbers. The clock notes it on the device, where a step ends
 * anyway: no dispatch is added, and the answer comes with the submit's end, which is waited for anyway.
 *
 * Where gradients are not clipped, their norm is not computed, and only the loss is watched. A gradient that is not finite
 * then makes its weights so by that step's update, and the first batch that looks at such a weight has a loss that is not:
 * a layer's in the next step, as no rectifier hides a NaN, a table's row when it is next drawn. Until then nothing else takes
 * harm from that row. No checkpoint is written meanwhile: encodeCheckpoint throws while any weight or moment is not finite.
 */
export class Watch {
  readonly #clock: Clock;
  readonly #sampler: BatchSampler;
  #error: Promise<NonFiniteError> | null = null;

  constructor(clock: Clock, sampler: BatchSampler) {
    this.#clock = clock;
    this.#sampler = sampler;
  }

  /** Resolves when all steps submitted so far are done. Throws NonFiniteError for the first that left the numbers. */
  async check(epoch: WatchedEpoch): Promise<void> {
    const { gpu, view } = this.#clock.trouble;
    const noted = await gpu.read(view);
    const [step, lossBits, normBits] = new Uint32Array(noted);
    if (step === 0) return;
    const [loss, norm] = new Float32Array(Uint32Array.of(lossBits!, normBits!).buffer);
    this.#error ??= this.#errorOf(step!, { loss: loss!, norm: norm! }, epoch);
    throw await this.#error;
  }

  async #errorOf(
    step: number,
    { loss, norm }: { readonly loss: number; readonly norm: number },
    { lr, hard }: WatchedEpoch,
  ): Promise<NonFiniteError> {
    const { batches } = this.#sampler;
    const [epoch, batch] = [Math.floor((step - 1) / batches) + 1, ((step - 1) % batches) + 1];
    const what = Number.isFinite(loss) ? `the gradients’ norm became ${norm}` : `the loss became ${loss}`;
    return new NonFiniteError(`${what} in epoch ${epoch} at step ${batch} of ${batches}, at a learning rate of ${lr}`, {
      step,
      epoch,
      lr,
      ...(await this.#batchOf(step, hard)),
    });
  }

  /**
   * The batch of a step, drawn again: it is a function of the seed and the step. Negatives that the model chose depend on
   * weights that are gone; of such a batch only the positives are given.
   */
  async #batchOf(step: number, hard: boolean): Promise<Pick<NonFiniteError, 'users' | 'items' | 'labels'>> {
    const { gpu } = this.#clock.step;
    const clock = new Clock(gpu);
    let batch!: Batch;
    const plan = record(gpu, 'draw again', () => {
      batch = this.#sampler.draw(clock, this.#sampler.rows((step - 1) % this.#sampler.batches));
    });
    clock.set(step - 1);
    plan.run();
    const [users, items] = [await batch.users.data(), await batch.items.data()] as Uint32Array[];
    const labels = (await batch.labels.data()) as Float32Array;
    const known = <T extends Uint32Array | Float32Array>(rows: T) =>
      (hard ? rows.filter((_: number, row: number) => labels[row] === 1) : rows) as T;
    return { users: known(users!), items: known(items!), labels: known(labels) };
  }
}
