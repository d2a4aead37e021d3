import type { Parameters } from '../autograd/parameters.ts';
import { tapeOf, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { View } from '../kernels/launch.ts';
import { clipFactor, globalNorm, NORM_THREADS, type SizedView } from '../kernels/optimizers.ts';

/** Appends what leaves the sums of squares of all gradients in partial f32[NORM_THREADS]. */
export type PartialNorm = (partial: View) => void;

/**
 * The norm of all gradients together, and the factor that an optimizer multiplies them by so that it does not exceed
 * `maxNorm` (torch.nn.utils.clip_grad_norm_).
 * @param maxNorm null computes the norm and clips nothing
 * @returns f32[2]: norm, factor
 */
export function clipGradNorm(parameters: Parameters, maxNorm: number | null): Tensor {
  const clip = zeros(parameters.gpu, [2], { label: 'norm and clip factor' });
  const { plan } = tapeOf(parameters.gpu);
  return clipFrom((partial) => globalNorm(plan, gradientsFrom(parameters), partial), maxNorm, clip);
}

/** The gradients from an element of the arenas on, in pieces that a binding holds. */
export function gradientsFrom(parameters: Parameters, from = 0): SizedView[] {
  return parameters.stretches(from).map((stretch) => parameters.gradients.view(stretch));
}

/** As clipGradNorm, of gradients wherever they are. @param clip f32[2], takes norm and factor */
export function clipFrom(norm: PartialNorm, maxNorm: number | null, clip: Tensor): Tensor {
  const { gpu } = clip;
  const partial = zeros(gpu, [NORM_THREADS], { label: 'partial norms' }).view;
  norm(partial);
  clipFactor(tapeOf(gpu).plan, { partial, clip: clip.view }, maxNorm ?? 0);
  return clip;
}
