import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const params = { n: 'u32', split: 'u32', offset: 'u32' } as const;
const link = defineKernel({
  name: 'group_link',
  params,
  bindings: { left: 'read', right: 'read', head: 'write', next: 'write', groups: 'write', total: 'write' },
});
/** Exported for tests, which hand it lists in orders that no adapter here makes. */
export const groupSort = defineKernel({
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
    slots: 'write',
  },
  constants: ['PRESENT'],
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
   * u32[2 n]: for each position row + 1 where it is the first of its row, else 0; behind them the positions, grouped by row
   * and ascending within it.
   */
  readonly groups: View;
  /** vec4u[rows]: (step + 1, or step where it is not present, start, count, the x before), where groups[start .. start + count) are the row's positions. */
  readonly slots: View;
  /** u32[1] */
  readonly total: View;
}

/** Words of `groups` for n positions. */
export const groupsLength = (n: number): number => 2 * n;

/**
 * Groups the positions 0 … n − 1 by the row that their id names.
 * @param step u32[1], which slots note
 * @param present whether rows count as having had that step, the present one, or only those before it
 */
export function groupByRow(
  plan: Plan,
  { left, right, ...size }: Ids,
  { head, next, groups, total, slots }: GroupBuffers,
  step: View,
  { present = true } = {},
): void {
  const threads = groupsFor(size.n);
  plan.dispatch(link, { left, right, head, next, groups, total }, size, threads);
  const views = { left, right, head, next, groups, total, step, slots };
  plan.dispatch(groupSort, views, size, threads, { PRESENT: Number(present) });
}
