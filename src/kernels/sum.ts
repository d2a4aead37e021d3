import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import type { View } from './launch.ts';

const kernel = defineKernel({ name: 'sum', params: { n: 'u32', scale: 'f32' }, bindings: { x: 'read', out: 'write' } });

/** out[0] = scale · Σ x[i], in a fixed order. */
export function sum(plan: Plan, x: View, out: View, n: number, scale: number): void {
  plan.dispatch(kernel, { x, out }, { n, scale }, 1);
}
