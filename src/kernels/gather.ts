import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type Shard, type View } from './launch.ts';

const kernel = defineKernel({
  name: 'gather',
  params: { rows: 'u32', dim: 'u32', width: 'u32', column: 'u32', first: 'u32', count: 'u32' },
  bindings: { table: 'read', ids: 'read', out: 'write' },
});

/** The columns of a wider matrix that one look-up fills: `dim` of them from `column` on, in rows of `width`. */
export interface Columns {
  readonly dim: number;
  readonly width: number;
  readonly column: number;
}

/** out[b, column + d] = table[ids[b], d], where the table's shards have that row. */
export function gather(
  plan: Plan,
  shards: readonly Shard[],
  ids: View,
  out: View,
  rows: number,
  columns: Columns,
): void {
  for (const { first, rows: count, view: table } of shards) {
    const params = { rows, ...columns, first, count };
    plan.dispatch(kernel, { table, ids, out }, params, groupsFor(rows * Math.ceil(columns.dim / 4)));
  }
}
