import type { Split } from '../data/split.ts';
import type { Gpu } from '../gpu/device.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';
import type { Model } from '../models/model.ts';
import { type Candidates, candidates } from './candidates.ts';
import { FullRanking } from './full-ranking.ts';
import { LeaveOneOut } from './leave-one-out.ts';
import { allMetrics, type Metrics } from './metrics.ts';

export interface EvaluationOptions {
  /** Among sampled candidates (leave-one-out as the NCF paper has it), among all unseen items, or both. */
  readonly eval: 'loo' | 'full' | 'both';
  /** Cut-offs of the metrics. */
  readonly k: readonly number[];
  /** Of the sampled candidates. */
  readonly seed: number;
}

/** Metrics by protocol: those among sampled candidates as they are, those among all unseen items under `full`. */
export interface Evaluated extends Partial<Metrics> {
  readonly full?: Metrics;
}

/** The rank of each held-out item, 0 for the best: u32[tested] for each protocol. */
export interface Ranks {
  readonly sampled?: Uint32Array;
  readonly full?: Uint32Array;
}

/** How well a model ranks the held-out items of a split, under one protocol or two. */
export class Evaluation {
  /** The protocols' names, to stand beside every figure. */
  readonly protocols: { readonly sampled?: string; readonly full?: string };
  readonly split: Split;
  /** What is ranked in sampled evaluation; null where that is not asked for. */
  readonly candidates: Candidates | null;
  readonly #k: readonly number[];
  /** How many candidates each held-out item has beside it. */
  readonly #others: Uint32Array;
  readonly #sampled: LeaveOneOut | null;
  readonly #full: FullRanking | null;

  /** Throws DataError when no user has a held-out item, ConfigError when lists do not fit the adapter's limits. */
  constructor(gpu: Gpu, model: Model, split: Split, { eval: protocol, k, seed }: EvaluationOptions) {
    this.split = split;
    this.#k = k;
    this.candidates = protocol === 'full' ? null : candidates(split, seed);
    this.#others = this.candidates ? countOthers(this.candidates) : new Uint32Array(0);
    this.#sampled = this.candidates && new LeaveOneOut(gpu, () => model.evaluation(), this.candidates);
    this.#full = protocol === 'loo' ? null : new FullRanking(gpu, model, split);
    this.protocols = {
      ...(this.candidates && { sampled: this.candidates.protocol }),
      ...(this.#full && { full: this.#full.protocol }),
    };
  }

  async compile(): Promise<void> {
    await Promise.all([this.#sampled?.compile(), this.#full?.compile()]);
  }

  /** Ranks by the model as it is. */
  async ranks(): Promise<Ranks> {
    const sampled = await this.#sampled?.ranks();
    const full = await this.#full?.ranks();
    return { ...(sampled && { sampled }), ...(full && { full }) };
  }

  metricsOf({ sampled, full }: Ranks): Evaluated {
    return {
      ...(sampled && allMetrics(sampled, this.#k, this.#others)),
      ...(full && { full: allMetrics(full, this.#k) }),
    };
  }

  /** Metrics of the model as it is. */
  async metrics(): Promise<Evaluated> {
    return this.metricsOf(await this.ranks());
  }
}

function countOthers({ users, items, width }: Candidates): Uint32Array {
  return users.map((_, row) => {
    const list = items.subarray(row * width, (row + 1) * width);
    const missing = list.indexOf(NO_CANDIDATE);
    return (missing < 0 ? width : missing) - 1;
  });
}
