import { Clock } from '../autograd/clock.ts';
import { record, tensor, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { checkBindable, type Gpu } from '../gpu/device.ts';
import { candidatePairs, rank } from '../kernels/rank.ts';
import type { Forward } from '../models/model.ts';
import type { Candidates } from './candidates.ts';
import { type Chunks, runChunks } from './chunks.ts';

/** Pairs scored together: enough to fill a GPU, little enough memory for wide models. */
const PAIRS = 16384;

/** Ranks every tested user's held-out item on the device; a list of ranks is all that comes back. */
export class LeaveOneOut {
  readonly #gpu: Gpu;
  readonly #chunks: Chunks;
  readonly #ranks: Tensor;

  /**
   * @param evaluation a model's evaluation, such as `() => model.evaluation()`
   * Throws ConfigError when the candidate lists do not fit the adapter's limits.
   */
  constructor(gpu: Gpu, evaluation: () => Forward, { users, items, width }: Candidates) {
    const tested = users.length;
    const chunk = Math.max(1, Math.min(tested, Math.floor(PAIRS / width)));
    checkBindable(gpu, `the candidate lists of ${tested} users`, 4 * items.length);
    this.#gpu = gpu;
    const clock = new Clock(gpu);
    this.#ranks = zeros(gpu, [tested], { dtype: 'u32', label: 'ranks' });
    const size = { chunk, width, tested };
    const step = clock.step.view;
    const testedUsers = tensor(gpu, users, { label: 'tested users' });
    const lists = tensor(gpu, items, { label: 'candidates' });
    const pairs = {
      users: zeros(gpu, [chunk * width], { dtype: 'u32', label: 'pair users' }),
      items: zeros(gpu, [chunk * width], { dtype: 'u32', label: 'pair items' }),
    };
    let forward!: Forward;
    const prepare = record(gpu, 'fold for evaluation', () => {
      forward = evaluation();
    });
    const scoreChunk = record(gpu, 'leave-one-out', ({ plan }) => {
      const views = { users: pairs.users.view, items: pairs.items.view };
      candidatePairs(plan, { step, testedUsers: testedUsers.view, candidates: lists.view, ...views }, size);
      const logits = forward(pairs.users, pairs.items);
      rank(plan, { step, candidates: lists.view, logits: logits.view, ranks: this.#ranks.view }, size);
      clock.advance(logits);
    });
    this.#chunks = { clock, count: Math.ceil(tested / chunk), prepare, scoreChunk };
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
