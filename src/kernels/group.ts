import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const params = { n: 'u32', split: 'u32', offset: 'u32' } as const;
const link = defineKernel({
  name: 'group_link',
  params,
  bindings: { left: 'read', right: 'read', head: 'write', next: 'write', groups: 'write', total: 'write' },
});
const sort = defineKernel({
  name: 'group_sort',
  params,
  bindings: {
    left: 'read',
    right: 'read',
    head: 'write',
    next: 'read',
    groups: 'write',
    total: 'write',
    step: 'read',
    stamps: 'write',
  },
  constants: ['STAMPS'],
});

/** The ids of a batch: one list, or two of different tables whose rows are counted on. */
export interface Ids {
  /** u32[split] */
  readonly left: View;
  /** u32[n − split]; not read where n = split */
  readonly right: View;
  readonly n: number;
  readonly split: number;
  /** The row that id 0 of `right` stands for. */
  readonly offset: number;
}

export interface GroupBuffers {
  /** u32[rows], zeros before and afterwards. */
  readonly head: View;
  /** u32[n] */
  readonly next: View;
  /**
   * u32[5 n]: for each position a slot of four words, (row, start, count, stamp) for the first of a row and with a count of
   * 0 for all others; behind them the positions, grouped by row and ascending within it: groups[start .. start + count).
   */
  readonly groups: View;
  /** u32[1] */
  readonly total: View;
}

/** Words of `groups` for n positions. */
export const groupsLength = (n: number): number => 5 * n;

/**
 * Groups the positions 0 … n − 1 by the row that their id names.
 * @param stamps u32[rows]: each row's goes into its slot, and becomes step + 1
 */
export function groupByRow(
  plan: Plan,
  { left, right, ...size }: Ids,
  { head, next, groups, total }: GroupBuffers,
  stamps?: { readonly stamps: View; readonly step: View },
): void {
  const threads = groupsFor(size.n);
  plan.dispatch(link, { left, right, head, next, groups, total }, size, threads);
  // Without stamps two bindings are not used; `unused` may not be read and written in one dispatch.
  const { step, stamps: all } = stamps ?? { step: left, stamps: plan.gpu.unused };
  plan.dispatch(sort, { left, right, head, next, groups, total, step, stamps: all }, size, threads, {
    STAMPS: Number(stamps !== undefined),
  });
}
