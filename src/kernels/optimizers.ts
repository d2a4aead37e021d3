import { ConfigError } from '../errors.ts';
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
const sgdMomentumKernel = defineKernel({
  name: 'sgd_momentum',
  params: { n4: 'u32' },
  bindings: { gradient: 'read', clip: 'read', hyper: 'read', weight: 'write', momentumBuffer: 'write' },
});
const normKernel = defineKernel({
  name: 'global_norm',
  params: { n4: 'u32', threads: 'u32', before: 'u32' },
  bindings: { gradient: 'read', partial: 'write' },
});
const clipKernel = defineKernel({
  name: 'clip_factor',
  params: { threads: 'u32', max_norm: 'f32' },
  bindings: { partial: 'read', clip: 'write' },
});

/** Part of a buffer, its size said. */
export type SizedView = View & { readonly size: number };

/** Vectors of four elements that one thread of adam updates. */
const ADAM_VECTORS = 16;
/** Partial sums of the norm. */
export const NORM_THREADS = 1024;

/** Adam's hyper-parameters (torch.optim.Adam). */
export interface AdamNumbers {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
}

/** Steps after which the bias correction must have ended. */
const MOST_RATES = 2 ** 22;

/**
 * What adam.wgsl reads as `hyper`, with gradients not clipped, rounded from f64 only once. How long it is depends on the
 * betas alone, so that another learning rate takes its place. Throws ConfigError for betas outside of [0, 1) or so near 1
 * that their correction has no end.
 */
export function adamNumbers({ lr, betas, eps, weightDecay }: AdamNumbers): Float32Array<ArrayBuffer> {
  const [beta1, beta2] = betas;
  const rates: number[] = [];
  for (let t = 1; ; t++) {
    const correction = -Math.expm1(t * Math.log(beta1));
    const scale = 1 / Math.sqrt(-Math.expm1(t * Math.log(beta2)));
    rates.push(lr / correction, scale);
    if (correction === 1 && Math.fround(scale) === 1) break;
    if (!(t < MOST_RATES)) {
      throw new ConfigError(`betas ${beta1}, ${beta2}: numbers from 0 to 0.99999 would be right`);
    }
  }
  return Float32Array.from([0, 1, 1 - beta1, beta2, 1 - beta2, eps, weightDecay, rates.length / 2].concat(rates));
}

/** Adam on n elements, a multiple of 4. */
export function adam(
  plan: Plan,
  views: Record<'gradient' | 'clip' | 'step' | 'hyper' | 'weight' | 'm' | 'v', View>,
  n: number,
): void {
  const groups = groupsFor(n / 4, THREADS * ADAM_VECTORS);
  plan.dispatch(adamKernel, views, { n4: n / 4, threads: groups * THREADS }, groups);
}

type SgdViews = Record<'gradient' | 'clip' | 'hyper' | 'weight', View>;

/** Plain gradient descent on n elements, a multiple of 4. */
export function sgd(plan: Plan, views: SgdViews, n: number): void {
  plan.dispatch(sgdKernel, views, { n4: n / 4 }, groupsFor(n / 4));
}

/** Gradient descent with momentum on n elements, a multiple of 4. */
export function sgdMomentum(plan: Plan, views: SgdViews & { readonly momentumBuffer: View }, n: number): void {
  plan.dispatch(sgdMomentumKernel, views, { n4: n / 4 }, groupsFor(n / 4));
}

/**
 * partial[j] = the sum of squares of every NORM_THREADS-th vector.
 * @param gradients multiples of 16 bytes
 * @param before vectors that `partial` has already
 */
export function globalNorm(plan: Plan, gradients: readonly SizedView[], partial: View, before = 0): void {
  for (const gradient of gradients) {
    const n4 = gradient.size / 16;
    plan.dispatch(normKernel, { gradient, partial }, { n4, threads: NORM_THREADS, before }, groupsFor(NORM_THREADS));
    before += n4;
  }
}

/**
 * clip = (norm of all gradients, factor that brings it down to maxNorm).
 * @param partial f32[NORM_THREADS], sums of squares
 * @param maxNorm 0 for no clipping: the norm is computed and the factor is 1
 */
export function clipFactor(plan: Plan, views: Record<'partial' | 'clip', View>, maxNorm: number): void {
  plan.dispatch(clipKernel, views, { threads: NORM_THREADS, max_norm: maxNorm }, 1);
}
