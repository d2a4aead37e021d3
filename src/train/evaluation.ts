import { popularityScorer } from '../baselines/popularity.ts';
import { randomScorer } from '../baselines/random.ts';
import { candidateRanks } from '../baselines/ranks.ts';
import type { Split } from '../data/split.ts';
import type { Candidates } from '../evaluate/candidates.ts';
import { LeaveOneOut } from '../evaluate/leave-one-out.ts';
import { hitRate, ndcg } from '../evaluate/metrics.ts';
import type { Gpu } from '../gpu/device.ts';
import type { Model } from '../models/model.ts';
import type { Metrics } from './history.ts';

/** How well a model ranks held-out items among their candidates, and what popularity and chance reach there. */
export class Evaluation {
  readonly candidates: Candidates;
  readonly #ranks: LeaveOneOut;

  constructor(gpu: Gpu, model: Model, candidates: Candidates) {
    this.candidates = candidates;
    this.#ranks = new LeaveOneOut(gpu, () => model.evaluation(), candidates);
  }

  compile(): Promise<void> {
    return this.#ranks.compile();
  }

  /** HR@10 and NDCG@10 of the model as it is. */
  async metrics(): Promise<Metrics> {
    return metricsOf(await this.#ranks.ranks());
  }

  baselines(split: Split, seed: number): Record<string, Metrics> {
    return {
      random: metricsOf(candidateRanks(this.candidates, randomScorer(seed))),
      popularity: metricsOf(candidateRanks(this.candidates, popularityScorer(split))),
    };
  }
}

function metricsOf(ranks: ArrayLike<number>): Metrics {
  return { 'hr@10': hitRate(ranks, 10), 'ndcg@10': ndcg(ranks, 10) };
}
