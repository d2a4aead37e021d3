import { linear } from '../autograd/ops/linear.ts';
import { commonRanges, rowsOf } from '../autograd/shards.ts';
import { zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';

/**
 * The mean of a table's rows, f32[1, dim], of f32[rows, dim]: the gradient of the mean of the products of all rows with w.
 *
 *   d/dw [1/n Σ_r x_r · w] = 1/n Σ_r x_r
 *
 * Of a table that is split, the sums of its shards are added up, and rounded otherwise.
 */
export function meanRow(table: Tensor): Tensor {
  const { gpu, engine, shape } = table;
  const [rows, dim] = shape as [number, number];
  const w = zeros(gpu, [1, dim], { label: 'mean row', requiresGrad: true });
  for (const range of commonRanges([table])) {
    const products = linear(rowsOf(table, range), w, zeros(gpu, [1]));
    engine.sum(products, 1 / rows).backward();
  }
  return w.grad!;
}
