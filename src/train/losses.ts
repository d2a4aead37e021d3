import type { Clock } from '../autograd/clock.ts';
import type { BatchSampler } from './sampler.ts';

/** The losses of an epoch's steps, which stay on the device until somebody wants to see them. */
export class Losses {
  /** [batches]; as last read, those of later steps are an earlier epoch's. */
  readonly values: Float32Array<ArrayBuffer>;
  readonly #clock: Clock;
  readonly #sampler: BatchSampler;

  /** @param clock keeps as many losses as an epoch has steps */
  constructor(clock: Clock, sampler: BatchSampler) {
    this.values = new Float32Array(sampler.batches);
    this.#clock = clock;
    this.#sampler = sampler;
  }

  /** Fetches those of the epoch's first `count` steps. */
  async read(count: number): Promise<void> {
    const { gpu, view } = this.#clock.losses;
    this.values.set(new Float32Array(await gpu.read({ buffer: view.buffer, offset: 0, size: 4 * count })));
  }

  /** Mean loss a sample over the epoch's first `count` steps. */
  mean(count: number): number {
    let sum = 0;
    for (let batch = 0; batch < count; batch++) sum += this.values[batch]! * this.#sampler.rows(batch);
    return sum / this.#sampler.samplesBefore(count);
  }

  /** Puts back what a checkpoint kept. */
  restore(values: ArrayLike<number>): void {
    this.values.set(values);
    this.#clock.losses.write(Float32Array.from(values));
  }
}
