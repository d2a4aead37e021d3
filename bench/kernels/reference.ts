/** Formulas in float64 of kernels that are parts of an operation; those of whole operations are in test/reference. */
import type { BatchNormSize } from '../../src/kernels/batch-norm.ts';
import { EPS, moments } from '../../test/reference/batch-norm.ts';
import { absolute } from '../../test/reference/elementwise.ts';
import type { Numbers } from './trial.ts';

/** Rows that share partial statistics, as in batch_norm_stats. */
const BLOCK = 8;

/** values[block, n] = (mean, Σ (x − mean)²) of every eight rows; scale: (mean of |x|, Σ x²). */
export function blockStatistics(x: Float32Array | Float64Array, { rows, features }: BatchNormSize) {
  const values: number[] = [];
  const scale: number[] = [];
  for (let first = 0; first < rows; first += BLOCK) {
    const block = x.subarray(first * features, Math.min(first + BLOCK, rows) * features);
    const size = { rows: block.length / features, features };
    const { mean, squares } = moments(block, size);
    const magnitudes = moments(absolute(block), size);
    for (let n = 0; n < features; n++) {
      values.push(mean[n]!, squares[n]!);
      scale.push(magnitudes.mean[n]!, magnitudes.squares[n]! + size.rows * magnitudes.mean[n]! ** 2);
    }
  }
  return { values, scale };
}

/** moments[n] = (mean, 1 / √(variance + eps)) */
export function batchMoments(x: Numbers, size: BatchNormSize): Float64Array {
  const { mean, squares } = moments(x, size);
  const pairs = new Float64Array(2 * size.features);
  mean.forEach((value, n) => {
    pairs.set([value, 1 / Math.sqrt(squares[n]! / size.rows + EPS)], 2 * n);
  });
  return pairs;
}

/** s[n] = gamma[n] / √(running_var[n] + eps); weight[n, k] · s[n];  (bias[n] − running_mean[n]) · s[n] + beta[n] */
export function foldBatchNorm(layer: Record<'weight' | 'bias' | 'gamma' | 'beta' | 'mean' | 'variance', Float32Array>) {
  const { weight, bias, gamma, beta, mean, variance } = layer;
  const inputs = weight.length / bias.length;
  const s = Float64Array.from(gamma, (value, n) => value / Math.sqrt(variance[n]! + EPS));
  return {
    weight: Float64Array.from(weight, (value, i) => value * s[Math.floor(i / inputs)]!),
    bias: s.map((value, n) => value * (bias[n]! - mean[n]!) + beta[n]!),
    biasScale: s.map((value, n) => Math.abs(value) * (Math.abs(bias[n]!) + Math.abs(mean[n]!)) + Math.abs(beta[n]!)),
  };
}

/** The positions at which each row occurs, ascending. */
export function positionsByRow(ids: Uint32Array, vocabulary: number): number[][] {
  const rows: number[][] = Array.from({ length: vocabulary }, () => []);
  ids.forEach((id, position) => {
    rows[id]!.push(position);
  });
  return rows;
}
