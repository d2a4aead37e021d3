import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const hadamardKernel = defineKernel({
  name: 'hadamard',
  params: { n: 'u32' },
  bindings: { a: 'read', b: 'read', out: 'write' },
});
const hadamardBackwardKernel = defineKernel({
  name: 'hadamard_backward',
  params: { n: 'u32' },
  bindings: { a: 'read', b: 'read', dy: 'read', da: 'write', db: 'write' },
});
const reluKernel = defineKernel({ name: 'relu', params: { n: 'u32' }, bindings: { x: 'read', out: 'write' } });
const reluBackwardKernel = defineKernel({
  name: 'relu_backward',
  params: { n: 'u32' },
  bindings: { y: 'read', dy: 'read', dx: 'write' },
});
const addKernel = defineKernel({ name: 'add', params: { n: 'u32' }, bindings: { sum: 'write', x: 'read' } });
const fillKernel = defineKernel({
  name: 'fill',
  params: { n: 'u32', scale: 'f32' },
  bindings: { x: 'read', out: 'write' },
});

/** out = a ⊙ b. */
export function hadamard(plan: Plan, a: View, b: View, out: View, n: number): void {
  plan.dispatch(hadamardKernel, { a, b, out }, { n }, groupsFor(n));
}

/** da = dy ⊙ b, db = dy ⊙ a. */
export function hadamardBackward(plan: Plan, views: Record<'a' | 'b' | 'dy' | 'da' | 'db', View>, n: number): void {
  plan.dispatch(hadamardBackwardKernel, views, { n }, groupsFor(n));
}

/** out = max(x, 0). */
export function relu(plan: Plan, x: View, out: View, n: number): void {
  plan.dispatch(reluKernel, { x, out }, { n }, groupsFor(n));
}

/** dx = dy where the output y > 0, else 0. */
export function reluBackward(plan: Plan, y: View, dy: View, dx: View, n: number): void {
  plan.dispatch(reluBackwardKernel, { y, dy, dx }, { n }, groupsFor(n));
}

/** sum += x. */
export function add(plan: Plan, sum: View, x: View, n: number): void {
  plan.dispatch(addKernel, { sum, x }, { n }, groupsFor(n));
}

/** out[i] = scale · x[0]. */
export function fill(plan: Plan, x: View, out: View, n: number, scale: number): void {
  plan.dispatch(fillKernel, { x, out }, { n, scale }, groupsFor(n));
}
