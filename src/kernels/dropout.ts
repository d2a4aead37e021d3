import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const kernel = defineKernel({
  name: 'dropout',
  params: { n: 'u32', seed: 'u32', stream: 'u32', threshold: 'u32', scale: 'f32' },
  bindings: { x: 'read', step: 'read', y: 'write' },
});

/** What a dropout mask is a function of, beside the element's index. */
export interface DropoutKey {
  /** Probability of a zero, in [0, 1). */
  readonly p: number;
  readonly seed: number;
  /** Tells apart the layers of a model. */
  readonly stream: number;
  /** u32[1], the clock: another mask every step. Unused when p is 0. */
  readonly step?: View;
}

export const NO_DROPOUT: DropoutKey = { p: 0, seed: 0, stream: 0 };

export function dropoutParams({ p, seed, stream }: DropoutKey) {
  return { seed, stream, threshold: Math.round(p * 2 ** 32), scale: 1 / (1 - p) };
}

/** y = x / (1 − p) or 0; on dy it is its own backward. */
export function dropout(plan: Plan, x: View, y: View, n: number, key: DropoutKey & { readonly step: View }): void {
  plan.dispatch(kernel, { x, step: key.step, y }, { n, ...dropoutParams(key) }, groupsFor(Math.ceil(n / 4)));
}
