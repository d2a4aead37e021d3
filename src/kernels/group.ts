import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const count = defineKernel({
  name: 'group_count',
  params: { n: 'u32' },
  bindings: { ids: 'read', counts: 'write', rank: 'write' },
});
const place = defineKernel({
  name: 'group_place',
  params: { vocabulary: 'u32' },
  bindings: { counts: 'write', total: 'write', segments: 'write' },
});
const fill = defineKernel({
  name: 'group_fill',
  params: { n: 'u32' },
  bindings: { ids: 'read', rank: 'read', segments: 'read', order: 'write', total: 'write' },
});
const sort = defineKernel({
  name: 'group_sort',
  params: { vocabulary: 'u32' },
  bindings: { segments: 'read', order: 'write' },
});

/** Buffers of a grouping. `counts` and `total` start as zeros and are zeros again afterwards. */
export interface GroupBuffers {
  /** u32[vocabulary] */
  readonly counts: View;
  /** u32[1] */
  readonly total: View;
  /** u32[n] */
  readonly rank: View;
  /** vec2u[vocabulary]: start and length of each row's part of `order` */
  readonly segments: View;
  /** u32[n]: positions, grouped by row, ascending within a row */
  readonly order: View;
}

/** Groups the positions 0 … n − 1 by ids[position], for scatter_add. */
export function groupByRow(plan: Plan, ids: View, n: number, vocabulary: number, buffers: GroupBuffers): void {
  const { counts, total, rank, segments, order } = buffers;
  plan.dispatch(count, { ids, counts, rank }, { n }, groupsFor(n));
  plan.dispatch(place, { counts, total, segments }, { vocabulary }, groupsFor(vocabulary));
  plan.dispatch(fill, { ids, rank, segments, order, total }, { n }, groupsFor(n));
  plan.dispatch(sort, { segments, order }, { vocabulary }, groupsFor(vocabulary));
}
