import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const concatKernel = defineKernel({
  name: 'concat',
  params: { rows: 'u32', left: 'u32', right: 'u32' },
  bindings: { a: 'read', b: 'read', out: 'write' },
});
const splitKernel = defineKernel({
  name: 'split',
  params: { rows: 'u32', left: 'u32', right: 'u32' },
  bindings: { x: 'read', a: 'write', b: 'write' },
});

/** Widths of the two matrices and their common number of rows. */
export interface Sides {
  readonly rows: number;
  readonly left: number;
  readonly right: number;
}

/** out[r] = [a[r] ; b[r]]. */
export function concat(plan: Plan, a: View, b: View, out: View, sides: Sides): void {
  plan.dispatch(concatKernel, { a, b, out }, sides, groupsFor(sides.rows * (sides.left + sides.right)));
}

/** [a[r] ; b[r]] = x[r]. */
export function split(plan: Plan, x: View, a: View, b: View, sides: Sides): void {
  plan.dispatch(splitKernel, { x, a, b }, sides, groupsFor(sides.rows * (sides.left + sides.right)));
}
