import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import type { Columns } from './gather.ts';
import type { GroupBuffers } from './group.ts';
import { groupsFor, type View } from './launch.ts';

const kernel = defineKernel({
  name: 'scatter_add',
  params: { vocabulary: 'u32', dim: 'u32', width: 'u32', column: 'u32', lanes: 'u32' },
  bindings: { segments: 'read', order: 'read', dy: 'read', out: 'write' },
});

/** out[r, d] = Σ dy[p, column + d] over the positions p of row r, ascending; every row is written. */
export function scatterAdd(
  plan: Plan,
  groups: Pick<GroupBuffers, 'segments' | 'order'>,
  dy: View,
  out: View,
  vocabulary: number,
  columns: Columns,
): void {
  const { segments, order } = groups;
  // Most rows of a batch do not occur: on a CPU adapter a thread costs more than the zeros it writes.
  const lanes = Math.ceil(columns.dim / (plan.gpu.adapterKind === 'software' ? 16 : 4));
  plan.dispatch(kernel, { segments, order, dy, out }, { vocabulary, ...columns, lanes }, groupsFor(vocabulary * lanes));
}
