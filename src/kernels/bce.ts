import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const kernel = defineKernel({
  name: 'bce',
  params: { n: 'u32', scale: 'f32' },
  bindings: { logits: 'read', labels: 'read', weights: 'read', losses: 'write', gradient: 'write' },
  constants: ['WEIGHTED'],
});

/** Each sample's binary cross-entropy from its logit, by its weight where weights are given, and `scale` times the gradient of that. */
export function bce(
  plan: Plan,
  { weights, ...views }: Record<'logits' | 'labels' | 'losses' | 'gradient', View> & { readonly weights?: View },
  n: number,
  scale: number,
): void {
  const all = { ...views, weights: weights ?? plan.gpu.unused };
  plan.dispatch(kernel, all, { n, scale }, groupsFor(n), { WEIGHTED: Number(weights !== undefined) });
}
