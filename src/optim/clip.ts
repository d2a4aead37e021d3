import type { Parameters } from '../autograd/parameters.ts';
import { tapeOf, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { clipFactor, NORM_THREADS } from '../kernels/optimizers.ts';

/**
 * The norm of all gradients together, and the factor that an optimizer multiplies them by so that it does not exceed
 * `maxNorm` (torch.nn.utils.clip_grad_norm_).
 * @param maxNorm null computes the norm and clips nothing
 * @returns f32[2]: norm, factor
 */
export function clipGradNorm(parameters: Parameters, maxNorm: number | null): Tensor {
  const { gpu, gradients: buffer } = parameters;
  const clip = zeros(gpu, [2], { label: 'norm and clip factor' });
  const ranges = parameters.ranges();
  const partial = zeros(gpu, [NORM_THREADS * ranges.length], { label: 'partial norms' });
  clipFactor(
    tapeOf(gpu).plan,
    ranges.map((range) => ({ buffer, ...range })),
    partial.view,
    clip.view,
    maxNorm ?? 0,
  );
  return clip;
}
