/**
 * Ranking metrics of leave-one-out evaluation: each tested user has one held-out item, at rank 0 for the best.
 *
 * They are RecBole's (Zhao et al. 2021; recbole/evaluator/metrics.py) for one relevant item a user, with which three of
 * its names say what others say already:
 *
 *   Recall@k = HR@k      Precision@k = HR@k / k      MAP@k = MRR@k
 */

/** All metrics under one protocol, as history.jsonl names them; every figure is a mean over the tested users. */
export interface Metrics {
  readonly 'hr@10': number;
  readonly 'ndcg@10': number;
  readonly [metric: `${'hr' | 'ndcg' | 'mrr' | 'recall' | 'precision' | 'map'}@${number}`]: number;
  /** Among the sampled candidates only. */
  readonly auc?: number;
}

/** The cut-off of the figures that choose the best epoch and that alarms look at; it is always among those computed. */
export const CUTOFF = 10;

/** CUTOFF and the others, each once. */
export function cutoffs(ks: readonly number[]): number[] {
  return [...new Set([CUTOFF, ...ks])];
}

/**
 * Every metric at CUTOFF and at each of `ks`.
 * @param others how many candidates each held-out item has beside it, for the AUC
 */
export function allMetrics(ranks: ArrayLike<number>, ks: readonly number[], others?: ArrayLike<number>): Metrics {
  const entries = cutoffs(ks).flatMap((k) => {
    const [hr, gain, reciprocal] = [hitRate(ranks, k), ndcg(ranks, k), mrr(ranks, k)];
    const values = { hr, ndcg: gain, mrr: reciprocal, recall: hr, precision: hr / k, map: reciprocal };
    return Object.entries(values).map(([name, value]): [string, number] => [`${name}@${k}`, value]);
  });
  return Object.fromEntries(others ? [...entries, ['auc', auc(ranks, others)]] : entries) as unknown as Metrics;
}

/** Share of users whose held-out item is among the first k. */
export function hitRate(ranks: ArrayLike<number>, k: number): number {
  return mean(ranks, (rank) => (rank < k ? 1 : 0));
}

/** Normalised discounted cumulative gain with one relevant item: 1 / log₂(rank + 2), 0 beyond the first k. */
export function ndcg(ranks: ArrayLike<number>, k: number): number {
  return mean(ranks, (rank) => (rank < k ? 1 / Math.log2(rank + 2) : 0));
}

/** Mean reciprocal rank: 1 / (rank + 1), 0 beyond the first k. */
export function mrr(ranks: ArrayLike<number>, k: number): number {
  return mean(ranks, (rank) => (rank < k ? 1 / (rank + 1) : 0));
}

/**
 * Area under the ROC curve of each user, averaged: the share of the other candidates that the held-out item beats (what
 * RecBole calls GAUC; Zhu et al. 2017), but ties, which count half there, count against the model here as everywhere.
 * Users without another candidate have none.
 */
export function auc(ranks: ArrayLike<number>, others: ArrayLike<number>): number {
  const beaten = Array.from(ranks, (rank, i) => 1 - rank / others[i]!).filter((_, i) => others[i]! > 0);
  return mean(beaten, (share) => share);
}

function mean(ranks: ArrayLike<number>, gain: (rank: number) => number): number {
  let sum = 0;
  for (let i = 0; i < ranks.length; i++) sum += gain(ranks[i]!);
  return ranks.length ? sum / ranks.length : 0;
}
