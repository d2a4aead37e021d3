import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const kernel = defineKernel({
  name: 'sample_weights',
  params: { rows: 'u32' },
  bindings: { items: 'read', labels: 'read', itemWeights: 'read', weights: 'write' },
});

/** weights[r] = the item's weight where sample r is a positive, else 1. */
export function sampleWeights(
  plan: Plan,
  views: Record<'items' | 'labels' | 'itemWeights' | 'weights', View>,
  rows: number,
): void {
  plan.dispatch(kernel, views, { rows }, groupsFor(rows));
}
