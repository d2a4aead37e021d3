import { zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Gpu } from '../gpu/device.ts';
import { rank } from '../kernels/rank.ts';
import type { Forward } from '../models/model.ts';
import { type BehindCandidates, scoreCandidates } from './candidate-scoring.ts';
import type { Candidates } from './candidates.ts';
import { type Chunks, compileChunks, readJoined, runChunks } from './chunks.ts';

/** Ranks every tested user's held-out item on the device; a list of ranks is all that comes back. */
export class LeaveOneOut {
  readonly #gpu: Gpu;
  readonly #chunks: Chunks;
  /** Of each part of the users. */
  readonly #ranks: Tensor[] = [];

  /**
   * @param evaluation a model's evaluation, such as `() => model.evaluation()`
   * Throws ConfigError when the candidate lists do not fit the adapter's limits.
   */
  constructor(gpu: Gpu, evaluation: () => Forward, candidates: Candidates) {
    this.#gpu = gpu;
    const countAbove: BehindCandidates = (plan, views, size) => {
      const ranks = zeros(gpu, [size.tested], { dtype: 'u32', label: 'ranks' });
      rank(plan, { ...views, ranks: ranks.view }, size);
      this.#ranks.push(ranks);
    };
    this.#chunks = scoreCandidates(gpu, evaluation, candidates, countAbove, 1).chunks;
  }

  async compile(): Promise<void> {
    await compileChunks(this.#chunks);
  }

  /** The rank of each held-out item among its candidates, 0 for the best. */
  async ranks(): Promise<Uint32Array<ArrayBuffer>> {
    await runChunks(this.#gpu, this.#chunks);
    return readJoined(this.#ranks);
  }
}
