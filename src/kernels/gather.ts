import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const kernel = defineKernel({
  name: 'gather',
  params: { rows: 'u32', dim: 'u32', width: 'u32', column: 'u32' },
  bindings: { table: 'read', ids: 'read', out: 'write' },
});

/** The columns of a wider matrix that one look-up fills: `dim` of them from `column` on, in rows of `width`. */
export interface Columns {
  readonly dim: number;
  readonly width: number;
  readonly column: number;
}

/** out[b, column + d] = table[ids[b], d]. */
export function gather(plan: Plan, table: View, ids: View, out: View, rows: number, columns: Columns): void {
  plan.dispatch(kernel, { table, ids, out }, { rows, ...columns }, groupsFor(rows * Math.ceil(columns.dim / 4)));
}
