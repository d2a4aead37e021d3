import { linear } from '../autograd/ops/linear.ts';
import { tensorView, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';

/**
 * The mean of a table's rows, f32[1, dim], of f32[rows, dim]: the gradient of the mean of the products of all rows with w.
 *
 *   d/dw [1/n Σ_r x_r · w] = 1/n Σ_r x_r
 */
export function meanRow({ gpu, view, shape }: Tensor): Tensor {
  const w = zeros(gpu, [1, shape[1]!], { label: 'mean row', requiresGrad: true });
  const products = linear(tensorView(gpu, view, shape), w, zeros(gpu, [1]));
  products.mean().backward();
  return w.grad!;
}
