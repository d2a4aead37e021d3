import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const kernel = defineKernel({
  name: 'hardest',
  params: { rows: 'u32', candidates: 'u32' },
  bindings: { pairUsers: 'read', pairItems: 'read', logits: 'read', users: 'write', items: 'write' },
});

/** Keeps of each sample's candidates the one with the highest logit, of equals the first. */
export function hardest(
  plan: Plan,
  views: Record<'pairUsers' | 'pairItems' | 'logits' | 'users' | 'items', View>,
  size: { readonly rows: number; readonly candidates: number },
): void {
  plan.dispatch(kernel, views, size, groupsFor(size.rows));
}
