/** Reference of the softmax cross-entropy of a batch in which the items of all other samples are a user's negatives. */
import { fromIndex, type Numbers } from './elementwise.ts';

export interface InBatch {
  /** The item of each sample. */
  readonly items: Numbers;
  /** Logarithm of each item's share of all positives. */
  readonly logQ: Numbers;
  /** Times the logits. */
  readonly scale: number;
}

/** z[r, j] = scale · logits[r, j] − logQ[items[j]], and −∞ where j is the user's own item, drawn again. */
function corrected(logits: Numbers, { items, logQ, scale }: InBatch): Float64Array {
  const rows = items.length;
  return fromIndex(rows * rows, (i) => {
    const [r, j] = [Math.floor(i / rows), i % rows];
    if (r !== j && items[r] === items[j]) return Number.NEGATIVE_INFINITY;
    return scale * logits[i]! - logQ[items[j]!]!;
  });
}

/** p[r, j] = e^z[r, j] / Σ_k e^z[r, k] */
function shares(z: Float64Array, rows: number): Float64Array {
  const sums = fromIndex(rows, (r) => {
    const row = z.subarray(r * rows, (r + 1) * rows);
    const largest = Math.max(...row);
    return largest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  });
  return z.map((value, i) => Math.exp(value - sums[Math.floor(i / rows)]!));
}

/** losses[r] = −log p[r, r] = log (1 + Σ_others e^(z[r, j] − z[r, r])), the latter without losing what is far below 1 */
export function inBatchSoftmaxLosses(logits: Numbers, batch: InBatch): Float64Array {
  const rows = batch.items.length;
  const z = corrected(logits, batch);
  return fromIndex(rows, (r) => {
    const row = z.subarray(r * rows, (r + 1) * rows);
    const [own, largest] = [row[r]!, Math.max(...row)];
    if (own === largest) {
      return Math.log1p(row.reduce((sum, value, j) => (j === r ? sum : sum + Math.exp(value - own)), 0));
    }
    return largest - own + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  });
}

/** gradient[r, j] = scale · (p[r, j] − [r = j]) / rows, of the mean loss */
export function inBatchSoftmaxGradient(logits: Numbers, batch: InBatch): Float64Array {
  const rows = batch.items.length;
  const p = shares(corrected(logits, batch), rows);
  return p.map((share, i) => {
    const r = Math.floor(i / rows);
    if (i !== r * rows + r) return (batch.scale * share) / rows;
    const others = p.subarray(r * rows, (r + 1) * rows).reduce((sum, value, j) => (j === r ? sum : sum + value), 0);
    return (-batch.scale * others) / rows;
  });
}
