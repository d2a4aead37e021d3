/**
 * What a model's lists do to the catalogue, as RecBole defines it (Zhao et al. 2021; recbole/evaluator/metrics.py:
 * ItemCoverage, GiniIndex, AveragePopularity), from n_i, how often item i stands among a user's k best:
 *
 *   coverage@k    the share of items with n_i > 0
 *   gini@k        Σ_j (2 j − I − 1) n_(j) / (I Σ n), n_(1) ≤ … ≤ n_(I): 0 when all items stand there equally often, nearly 1
 *                 when few have all places
 *   popularity@k  Σ n_i c_i / Σ n, c_i the training interactions of item i: the mean over the recommended items
 */
export interface BeyondAccuracy {
  readonly [metric: `${'coverage' | 'gini' | 'popularity'}@${number}`]: number;
}

/** From n, u32[items] for each k, and the training interactions of each item. */
export function beyondAccuracy(recommended: ReadonlyMap<number, Uint32Array>, popularity: Uint32Array): BeyondAccuracy {
  const entries = [...recommended].flatMap(([k, counts]) => [
    [`coverage@${k}`, coverage(counts)],
    [`gini@${k}`, gini(counts)],
    [`popularity@${k}`, meanPopularity(counts, popularity)],
  ]);
  return Object.fromEntries(entries);
}

function coverage(counts: Uint32Array): number {
  return counts.filter((count) => count > 0).length / counts.length;
}

function gini(counts: Uint32Array): number {
  const items = counts.length;
  let [weighted, total] = [0, 0];
  counts.toSorted().forEach((count, j) => {
    weighted += (2 * (j + 1) - items - 1) * count;
    total += count;
  });
  return total > 0 ? weighted / (items * total) : 0;
}

function meanPopularity(counts: Uint32Array, popularity: Uint32Array): number {
  let [weighted, total] = [0, 0];
  counts.forEach((count, item) => {
    weighted += count * popularity[item]!;
    total += count;
  });
  return total > 0 ? weighted / total : 0;
}
