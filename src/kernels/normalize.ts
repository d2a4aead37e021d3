import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const kernel = defineKernel({
  name: 'normalize',
  params: { rows: 'u32', dim: 'u32' },
  bindings: { x: 'read', y: 'write' },
});

/** y = x with every row divided by its length; rows of nothing above 1e-12 become zeros. Both f32[rows, dim]. */
export function normalize(plan: Plan, x: View, y: View, size: { readonly rows: number; readonly dim: number }): void {
  plan.dispatch(kernel, { x, y }, { ...size }, groupsFor(size.rows));
}
