/** Reference of the embedding look-up and of its gradient. */
import type { Numbers } from './elementwise.ts';

/** out[b, d] = table[ids[b], d], table [vocabulary, dim] */
export function gather(table: Numbers, ids: Numbers, dim: number): Float64Array {
  const out = new Float64Array(ids.length * dim);
  for (let b = 0; b < ids.length; b++) {
    for (let d = 0; d < dim; d++) out[b * dim + d] = table[ids[b]! * dim + d]!;
  }
  return out;
}

/** out[r, d] = Σ over the positions p with ids[p] = r of dy[p, d]; 0 for a row that does not occur */
export function scatterAdd(dy: Numbers, ids: Numbers, vocabulary: number, dim: number): Float64Array {
  const out = new Float64Array(vocabulary * dim);
  for (let p = 0; p < ids.length; p++) {
    for (let d = 0; d < dim; d++) out[ids[p]! * dim + d]! += dy[p * dim + d]!;
  }
  return out;
}
