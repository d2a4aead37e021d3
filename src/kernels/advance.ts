import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import type { View } from './launch.ts';

const kernel = defineKernel({
  name: 'advance',
  params: { capacity: 'u32' },
  bindings: { step: 'write', loss: 'read', norm: 'read', log: 'write', trouble: 'write' },
});

/** Ends a step: log[step mod capacity] = loss, step += 1; trouble = the first step whose loss or norm is not finite. */
export function advance(
  plan: Plan,
  views: Record<'step' | 'loss' | 'norm' | 'log' | 'trouble', View>,
  capacity: number,
): void {
  plan.dispatch(kernel, views, { capacity }, 1);
}
