/** Reference of the binary cross-entropy from logits x and labels t in [0, 1]. */
import { fromIndex, type Numbers } from './elementwise.ts';

/** losses[i] = max(x, 0) − x · t + log(1 + e^−|x|), which is −t log σ(x) − (1 − t) log(1 − σ(x)) without overflow */
export function bceLosses(logits: Numbers, labels: Numbers): Float64Array {
  return fromIndex(logits.length, (i) => {
    const x = logits[i]!;
    return Math.max(x, 0) - x * labels[i]! + Math.log1p(Math.exp(-Math.abs(x)));
  });
}

/** gradient[i] = σ(x) − t = σ(x) · (1 − t) − σ(−x) · t */
export function bceGradient(logits: Numbers, labels: Numbers): Float64Array {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  return fromIndex(logits.length, (i) => sigmoid(logits[i]!) * (1 - labels[i]!) - sigmoid(-logits[i]!) * labels[i]!);
}
