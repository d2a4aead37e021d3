import { zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Gpu } from '../gpu/device.ts';
import { rank } from '../kernels/rank.ts';
import type { Forward } from '../models/model.ts';
import { scoreCandidates } from './candidate-scoring.ts';
import type { Candidates } from './candidates.ts';
import { type Chunks, runChunks } from './chunks.ts';

/** Ranks every tested user's held-out item on the device; a list of ranks is all that comes back. */
export class LeaveOneOut {
  readonly #gpu: Gpu;
  readonly #chunks: Chunks;
  readonly #ranks: Tensor;

  /**
   * @param evaluation a model's evaluation, such as `() => model.evaluation()`
   * Throws ConfigError when the candidate lists do not fit the adapter's limits.
   */
  constructor(gpu: Gpu, evaluation: () => Forward, candidates: Candidates) {
    this.#gpu = gpu;
    this.#ranks = zeros(gpu, [candidates.users.length], { dtype: 'u32', label: 'ranks' });
    this.#chunks = scoreCandidates(gpu, evaluation, candidates, (plan, views, size) => {
      rank(plan, { ...views, ranks: this.#ranks.view }, size);
    }).chunks;
  }

  async compile(): Promise<void> {
    await Promise.all([this.#chunks.prepare.compile(), this.#chunks.scoreChunk.compile()]);
  }

  /** The rank of each held-out item among its candidates, 0 for the best. */
  async ranks(): Promise<Uint32Array<ArrayBuffer>> {
    await runChunks(this.#gpu, this.#chunks);
    return (await this.#ranks.data()) as Uint32Array<ArrayBuffer>;
  }
}
