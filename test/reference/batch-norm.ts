/** Reference of BatchNorm over a batch x [rows, features] (torch.nn.BatchNorm1d: eps 1e-5, momentum 0.1). */
import type { BatchNormSize } from '../../src/kernels/batch-norm.ts';
import type { Numbers } from './elementwise.ts';

export const EPS = 1e-5;
export const MOMENTUM = 0.1;

/** mean[n] = Σ_r x[r, n] / rows;  squares[n] = Σ_r (x[r, n] − mean[n])² */
export function moments(x: Numbers, { rows, features }: BatchNormSize) {
  const mean = new Float64Array(features);
  const squares = new Float64Array(features);
  for (let n = 0; n < features; n++) {
    for (let r = 0; r < rows; r++) mean[n]! += x[r * features + n]! / rows;
    for (let r = 0; r < rows; r++) squares[n]! += (x[r * features + n]! - mean[n]!) ** 2;
  }
  return { mean, squares };
}

/** y[r, n] = gamma[n] · (x[r, n] − mean[n]) / √(squares[n] / rows + eps) + beta[n] */
export function batchNorm(x: Numbers, gamma: Numbers, beta: Numbers, size: BatchNormSize): Float64Array {
  const { rows, features } = size;
  const { mean, squares } = moments(x, size);
  const y = new Float64Array(rows * features);
  for (let i = 0; i < y.length; i++) {
    const n = i % features;
    y[i] = (gamma[n]! * (x[i]! - mean[n]!)) / Math.sqrt(squares[n]! / rows + EPS) + beta[n]!;
  }
  return y;
}

/** The running averages after one batch; the variance is the unbiased one, squares / (rows − 1). */
export function runningAverages(x: Numbers, runningMean: Numbers, runningVar: Numbers, size: BatchNormSize) {
  const { mean, squares } = moments(x, size);
  return {
    mean: mean.map((value, n) => (1 - MOMENTUM) * runningMean[n]! + MOMENTUM * value),
    variance: squares.map((value, n) => (1 - MOMENTUM) * runningVar[n]! + (MOMENTUM * value) / (size.rows - 1)),
  };
}

/**
 * dbeta[n] = Σ_r dy[r, n];  dgamma[n] = Σ_r dy[r, n] · x̂[r, n];  with s = 1 / √(squares / rows + eps), x̂ = (x − mean) · s:
 * dx[r, n] = gamma[n] · s[n] · (dy[r, n] − dbeta[n] / rows − x̂[r, n] · dgamma[n] / rows)
 */
export function batchNormBackward(x: Numbers, gamma: Numbers, dy: Numbers, size: BatchNormSize) {
  const { rows, features } = size;
  const { mean, squares } = moments(x, size);
  const s = squares.map((value) => 1 / Math.sqrt(value / rows + EPS));
  const normalised = (i: number) => (x[i]! - mean[i % features]!) * s[i % features]!;
  const [dgamma, dbeta] = [new Float64Array(features), new Float64Array(features)];
  const dx = new Float64Array(rows * features);
  for (let i = 0; i < dx.length; i++) {
    dbeta[i % features]! += dy[i]!;
    dgamma[i % features]! += dy[i]! * normalised(i);
  }
  for (let i = 0; i < dx.length; i++) {
    const n = i % features;
    dx[i] = gamma[n]! * s[n]! * (dy[i]! - dbeta[n]! / rows - (normalised(i) * dgamma[n]!) / rows);
  }
  return { dx, dgamma, dbeta };
}
