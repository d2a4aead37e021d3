import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import type { Columns } from './gather.ts';
import { groupsFor, type Shard, THREADS, type View } from './launch.ts';

const zeroKernel = defineKernel({ name: 'zero', params: { n: 'u32', threads: 'u32' }, bindings: { out: 'write' } });
const kernel = defineKernel({
  name: 'scatter_add',
  params: { n: 'u32', dim: 'u32', width: 'u32', column: 'u32', lanes: 'u32', first: 'u32', rows: 'u32' },
  bindings: { groups: 'read', slots: 'read', dy: 'read', out: 'write' },
});

/** Elements that one thread of zero writes. */
const ZEROS = 16;

/** out[r, d] = Σ dy[p, column + d] over the positions p of row r, ascending, of n in all; every row is written. */
export function scatterAdd(
  plan: Plan,
  views: Record<'groups' | 'slots' | 'dy', View>,
  out: readonly Shard[],
  n: number,
  columns: Columns,
): void {
  // Many positions are not the first of their row: on a CPU adapter a thread that only finds that out costs much.
  const lanes = Math.ceil(columns.dim / (plan.gpu.adapterKind === 'software' ? 16 : 4));
  for (const { first, rows, view } of out) {
    const zeros = groupsFor(rows * columns.dim, THREADS * ZEROS);
    plan.dispatch(zeroKernel, { out: view }, { n: rows * columns.dim, threads: zeros * THREADS }, zeros);
    plan.dispatch(kernel, { ...views, out: view }, { n, ...columns, lanes, first, rows }, groupsFor(n * lanes));
  }
}
