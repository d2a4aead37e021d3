import type { Parameters } from '../autograd/parameters.ts';
import { tapeOf, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { View } from '../kernels/launch.ts';
import { clipFactor, globalNorm, NORM_THREADS } from '../kernels/optimizers.ts';

/** Appends what leaves the sums of squares of some of the gradients in partial f32[NORM_THREADS]. */
export type PartialNorm = (partial: View) => void;

/**
 * The norm of all gradients together, and the factor that an optimizer multiplies them by so that it does not exceed
 * `maxNorm` (torch.nn.utils.clip_grad_norm_).
 * @param maxNorm null computes the norm and clips nothing
 * @returns f32[2]: norm, factor
 */
export function clipGradNorm(parameters: Parameters, maxNorm: number | null): Tensor {
  const clip = zeros(parameters.gpu, [2], { label: 'norm and clip factor' });
  return clipFrom([arenaNorm(parameters)], maxNorm, clip);
}

/** The norm of an arena's gradients. @param from the element from which on */
export function arenaNorm(parameters: Parameters, from = 0): PartialNorm {
  const gradients = parameters.stretches(from).map((stretch) => parameters.gradients.view(stretch));
  return (partial) => globalNorm(tapeOf(parameters.gpu).plan, gradients, partial);
}

/** As clipGradNorm, of gradients wherever they are. @param clip f32[2], takes norm and factor */
export function clipFrom(norms: readonly PartialNorm[], maxNorm: number | null, clip: Tensor): Tensor {
  const { gpu } = clip;
  const { buffer } = zeros(gpu, [NORM_THREADS * norms.length], { label: 'partial norms' }).view;
  const size = 4 * NORM_THREADS;
  norms.forEach((norm, i) => {
    norm({ buffer, offset: size * i, size });
  });
  clipFactor(tapeOf(gpu).plan, { partial: { buffer }, clip: clip.view }, norms.length, maxNorm ?? 0);
  return clip;
}
