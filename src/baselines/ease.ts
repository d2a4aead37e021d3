import type { Split } from '../data/split.ts';
import { ConfigError } from '../errors.ts';
import { formatBytes } from '../gpu/format.ts';
import { coOccurrences } from './co-occurrence.ts';
import { BLOCK, invertSymmetric } from './inverse.ts';
import { turns, type Watch } from './long-loop.ts';
import type { Scorer } from './ranks.ts';

export const DEFAULT_LAMBDA = 500;

export interface EaseOptions extends Watch {
  /** L2 regularisation λ of the item weights; default 500. */
  readonly lambda?: number;
}

/** 2 GiB: 16,384 items, whose inverse takes a scalar loop most of an hour. */
const MOST_BYTES = 2 ** 31;

/**
 * EASE, the linear autoencoder in closed form (Steck 2019, Embarrassingly Shallow Autoencoders for Sparse Data). With X
 * the users × items matrix of ones and zeros,
 *
 *   P = (XᵀX + λ I)⁻¹,   B_ji = −P_ji / P_ii for j ≠ i, B_ii = 0,   score(u, i) = Σ B_ji over u's items j
 *
 * A matrix of 8 items² bytes (110 MB for 3,706 items) and items³ / 2 multiply-adds, all in float64.
 * Throws ConfigError for a λ that cannot be, and for more items than memory.
 */
export async function easeScorer({ items, train }: Split, options: EaseOptions = {}): Promise<Scorer> {
  const { lambda = DEFAULT_LAMBDA, ...watch } = options;
  if (!(Number.isFinite(lambda) && lambda > 0)) {
    throw new ConfigError(`lambda ${lambda}: a number above 0 would be right`);
  }
  // Filled up to whole blocks with items that nobody has: they are apart from the others and change nothing
  const size = BLOCK * Math.ceil(items / BLOCK);
  const bytes = 8 * size * size;
  if (bytes > MOST_BYTES) {
    throw new ConfigError(
      `EASE of ${items} items inverts a matrix of ${formatBytes(bytes)}; at most ${formatBytes(MOST_BYTES)}, ${Math.sqrt(MOST_BYTES / 8)} items, would be right`,
    );
  }
  const turn = turns(watch);
  const coOccurrence = coOccurrences(train, items);
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    if (i < items) coOccurrence(i, matrix.subarray(i * size, i * size + items));
    matrix[i * size + i] += lambda;
    await turn(0);
  }
  await invertSymmetric(matrix, size, watch);
  // P becomes Bᵀ: row i holds what each item says for item i
  for (let i = 0; i < items; i++) {
    const row = matrix.subarray(i * size, (i + 1) * size);
    const scale = -1 / row[i];
    for (let j = 0; j < items; j++) row[j] *= scale;
    row[i] = 0;
  }
  return (user, scored) => {
    const history = train.items.subarray(train.offsets[user], train.offsets[user + 1]);
    return Float64Array.from(scored, (item) => {
      let score = 0;
      for (const other of history) score += matrix[item * size + other];
      return score;
    });
  };
}
