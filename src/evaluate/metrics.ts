/** Ranking metrics of leave-one-out evaluation: each tested user has one held-out item, at rank 0 for the best. */

/** Share of users whose held-out item is among the first k. */
export function hitRate(ranks: ArrayLike<number>, k: number): number {
  return mean(ranks, (rank) => (rank < k ? 1 : 0));
}

/** Normalised discounted cumulative gain with one relevant item: 1 / log₂(rank + 2), 0 beyond the first k. */
export function ndcg(ranks: ArrayLike<number>, k: number): number {
  return mean(ranks, (rank) => (rank < k ? 1 / Math.log2(rank + 2) : 0));
}

function mean(ranks: ArrayLike<number>, gain: (rank: number) => number): number {
  let sum = 0;
  for (let i = 0; i < ranks.length; i++) sum += gain(ranks[i]!);
  return ranks.length ? sum / ranks.length : 0;
}
