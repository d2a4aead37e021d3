/** Reference of the optimizers and of gradient clipping. */
import type { Numbers } from './elementwise.ts';

export interface AdamNumbers {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
}

/** Weights with their moments, all of one length. */
export interface AdamState {
  readonly weight: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
}

/**
 * One step of torch.optim.Adam, t = 1 for the first:
 *   g = gradient + weightDecay · w;  m = β₁ m + (1 − β₁) g;  v = β₂ v + (1 − β₂) g²
 *   w = w − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + eps)
 */
export function adam({ weight, m, v }: AdamState, gradient: Numbers, t: number, options: AdamNumbers): void {
  const { lr, beta1, beta2, eps, weightDecay } = options;
  for (let i = 0; i < weight.length; i++) {
    const g = gradient[i]! + weightDecay * weight[i]!;
    m[i] = beta1 * m[i]! + (1 - beta1) * g;
    v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
    const denominator = Math.sqrt(v[i]!) / Math.sqrt(1 - beta2 ** t) + eps;
    weight[i]! -= ((lr / (1 - beta1 ** t)) * m[i]!) / denominator;
  }
}

/**
 * One step of lazy Adam on a table: `adam` on the rows that have a gradient, t counting everybody's steps; all others stay.
 * @param gradients by row
 */
export function lazyAdam(
  table: AdamState,
  gradients: ReadonlyMap<number, Numbers>,
  t: number,
  options: AdamNumbers,
): void {
  for (const [row, gradient] of gradients) {
    const part = (all: Float64Array) => all.subarray(row * gradient.length, (row + 1) * gradient.length);
    adam({ weight: part(table.weight), m: part(table.m), v: part(table.v) }, gradient, t, options);
  }
}

/** torch.optim.SGD: w = w − lr · (gradient + weightDecay · w) */
export function sgd(weight: Float64Array, gradient: Numbers, lr: number, weightDecay: number): void {
  for (let i = 0; i < weight.length; i++) weight[i]! -= lr * (gradient[i]! + weightDecay * weight[i]!);
}

/** torch.optim.SGD with momentum: buf = momentum · buf + gradient + weightDecay · w;  w = w − lr · buf */
export function sgdMomentum(
  { weight, buffer }: { readonly weight: Float64Array; readonly buffer: Float64Array },
  gradient: Numbers,
  { lr, weightDecay, momentum }: { readonly lr: number; readonly weightDecay: number; readonly momentum: number },
): void {
  for (let i = 0; i < weight.length; i++) {
    buffer[i] = momentum * buffer[i]! + gradient[i]! + weightDecay * weight[i]!;
    weight[i]! -= lr * buffer[i]!;
  }
}

/** √(Σ x²) */
export function norm(x: Numbers): number {
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += x[i]! ** 2;
  return Math.sqrt(squares);
}

/** torch.nn.utils.clip_grad_norm_: min(1, maxNorm / (norm + 1e-6)); without a maximum 1 */
export function clipFactor(gradientNorm: number, maxNorm: number | null): number {
  return maxNorm === null ? 1 : Math.min(1, maxNorm / (gradientNorm + 1e-6));
}
