import { pick } from '../data/interactions.ts';
import { seenItems } from '../data/seen.ts';
import type { Split } from '../data/split.ts';
import type { Gpu } from '../gpu/device.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';
import type { Model } from '../models/model.ts';
import { type Candidates, candidates } from './candidates.ts';
import { FullRanking } from './full-ranking.ts';
import { LeaveOneOut } from './leave-one-out.ts';
import { allMetrics, cutoffs, type Metrics } from './metrics.ts';

/** Places in the lists of best items that are made at once: 64 MiB on the device. */
const LISTED = 2 ** 23;

/** What held-out items can be ranked among: sampled candidates, all unseen items, or one after the other. */
export const PROTOCOLS = ['loo', 'full', 'both'] as const;

export interface EvaluationOptions {
  /** Among sampled candidates (leave-one-out as the NCF paper has it), among all unseen items, or both. */
  readonly eval: (typeof PROTOCOLS)[number];
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
  /** How many candidates each held-out item has beside it: the rank of one that comes last, or ties with all. */
  readonly others: Ranks;
  readonly #k: readonly number[];
  readonly #sampled: LeaveOneOut | null;
  readonly #full: FullRanking | null;

  /** Throws DataError when no user has a held-out item, ConfigError when lists do not fit the adapter's limits. */
  constructor(gpu: Gpu, model: Model, split: Split, { eval: protocol, k, seed }: EvaluationOptions) {
    this.split = split;
    this.#k = k;
    this.candidates = protocol === 'full' ? null : candidates(split, seed);
    this.#sampled = this.candidates && new LeaveOneOut(gpu, () => model.evaluation(), this.candidates);
    this.#full = protocol === 'loo' ? null : new FullRanking(gpu, model, split);
    this.others = {
      ...(this.candidates && { sampled: countSampled(this.candidates) }),
      ...(this.#full && { full: countUnseen(split) }),
    };
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

  /** @param rows the tested users that count; all when left out */
  metricsOf({ sampled, full }: Ranks, rows?: Uint32Array): Evaluated {
    const counted = (values: Uint32Array) => (rows ? pick(values, rows) : values);
    return {
      ...(sampled && allMetrics(counted(sampled), this.#k, counted(this.others.sampled!))),
      ...(full && { full: allMetrics(counted(full), this.#k) }),
    };
  }

  /**
   * How often each item stands among the k best unseen ones of a tested user, by the model as it is: u32[items] for each
   * k; of no k when the full protocol was not asked for.
   */
  async recommended(): Promise<Map<number, Uint32Array>> {
    const ks = this.#full ? cutoffs(this.#k) : [];
    const counts = new Map(ks.map((k) => [k, new Uint32Array(this.split.items)]));
    const most = Math.max(...ks);
    const step = Math.max(1, Math.floor(LISTED / most));
    const { users } = this.split.test;
    for (let first = 0; this.#full && first < users.length; first += step) {
      const { items } = await this.#full.topK(users.subarray(first, first + step), most);
      items.forEach((item, place) => {
        if (item !== NO_CANDIDATE) for (const k of ks) if (place % most < k) counts.get(k)![item]!++;
      });
    }
    return counts;
  }

  /** Metrics of the model as it is. */
  async metrics(): Promise<Evaluated> {
    return this.metricsOf(await this.ranks());
  }
}

function countSampled({ users, items, width }: Candidates): Uint32Array {
  return users.map((_, row) => {
    const list = items.subarray(row * width, (row + 1) * width);
    const missing = list.indexOf(NO_CANDIDATE);
    return (missing < 0 ? width : missing) - 1;
  });
}

function countUnseen(split: Split): Uint32Array {
  const { users, items } = split.test;
  const seen = seenItems(split, users);
  return users.map((_, row) => {
    const own = seen.items.subarray(seen.offsets[row], seen.offsets[row + 1]);
    return split.items - own.length - (own.includes(items[row]!) ? 0 : 1);
  });
}
