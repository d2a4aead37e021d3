import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, THREADS, type View } from './launch.ts';

const adamKernel = defineKernel({
  name: 'adam',
  params: { n4: 'u32', threads: 'u32' },
  bindings: {
    gradient: 'read',
    clip: 'read',
    step: 'read',
    hyper: 'read',
    weight: 'write',
    m: 'write',
    v: 'write',
  },
});
const sgdKernel = defineKernel({
  name: 'sgd',
  params: { n4: 'u32' },
  bindings: { gradient: 'read', clip: 'read', hyper: 'read', weight: 'write' },
});
const normKernel = defineKernel({
  name: 'global_norm',
  params: { n4: 'u32', threads: 'u32' },
  bindings: { gradient: 'read', partial: 'write' },
});
const clipKernel = defineKernel({
  name: 'clip_factor',
  params: { threads: 'u32', max_norm: 'f32' },
  bindings: { partial: 'read', clip: 'write' },
});

/** Vectors of four elements that one thread of adam updates. */
const ADAM_VECTORS = 16;
/** Partial sums of the norm. */
export const NORM_THREADS = 1024;

/** Adam on n elements, a multiple of 4. */
export function adam(
  plan: Plan,
  views: Record<'gradient' | 'clip' | 'step' | 'hyper' | 'weight' | 'm' | 'v', View>,
  n: number,
): void {
  const groups = groupsFor(n / 4, THREADS * ADAM_VECTORS);
  plan.dispatch(adamKernel, views, { n4: n / 4, threads: groups * THREADS }, groups);
}

/** Plain gradient descent on n elements, a multiple of 4. */
export function sgd(plan: Plan, views: Record<'gradient' | 'clip' | 'hyper' | 'weight', View>, n: number): void {
  plan.dispatch(sgdKernel, views, { n4: n / 4 }, groupsFor(n / 4));
}

/**
 * clip = (norm of all gradients, factor that brings it down to maxNorm).
 * @param gradients the arena in pieces, each of a multiple of 16 bytes
 * @param partial f32[NORM_THREADS · pieces]
 * @param maxNorm 0 for no clipping: the norm is computed and the factor is 1
 */
export function clipFactor(
  plan: Plan,
  gradients: readonly (View & { readonly size: number })[],
  partial: View,
  clip: View,
  maxNorm: number,
): void {
  gradients.forEach((gradient, i) => {
    const piece = {
      buffer: partial.buffer,
      offset: (partial.offset ?? 0) + 4 * NORM_THREADS * i,
      size: 4 * NORM_THREADS,
    };
    const params = { n4: gradient.size / 16, threads: NORM_THREADS };
    plan.dispatch(normKernel, { gradient, partial: piece }, params, groupsFor(NORM_THREADS));
  });
  plan.dispatch(clipKernel, { partial, clip }, { threads: NORM_THREADS * gradients.length, max_norm: maxNorm }, 1);
}
