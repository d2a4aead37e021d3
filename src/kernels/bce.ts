import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const kernel = defineKernel({
  name: 'bce',
  params: { n: 'u32', scale: 'f32' },
  bindings: { logits: 'read', labels: 'read', losses: 'write', gradient: 'write' },
});

/** Each sample's binary cross-entropy from its logit, and `scale` times the gradient of that. */
export function bce(
  plan: Plan,
  views: Record<'logits' | 'labels' | 'losses' | 'gradient', View>,
  n: number,
  scale: number,
): void {
  plan.dispatch(kernel, views, { n, scale }, groupsFor(n));
}
