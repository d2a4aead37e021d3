import type { Gpu } from '../gpu/device.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, LANES, type View } from './launch.ts';
import { globalNorm, NORM_THREADS, type SizedView } from './optimizers.ts';

const rowParams = {
  first: 'u32',
  count: 'u32',
  lanes: 'u32',
  split: 'u32',
  offset: 'u32',
  dim_a: 'u32',
  dim_b: 'u32',
  user_a: 'u32',
  item_a: 'u32',
  user_b: 'u32',
  item_b: 'u32',
  x: 'u32',
  least: 'u32',
  rows: 'u32',
} as const;
const state = { weight: 'write', m: 'write', v: 'write' } as const;
const gatherKernel = defineKernel({
  name: 'adam_gather',
  params: rowParams,
  bindings: { groups: 'read', slots: 'read', step: 'read', hyper: 'read', ...state, out: 'write' },
  constants: ['BY_ROWS', 'CATCH_UP', 'LOOK_UP'],
});
const scatterKernel = defineKernel({
  name: 'adam_scatter',
  params: rowParams,
  bindings: { groups: 'read', slots: 'read', dy: 'read', step: 'read', hyper: 'read', ...state },
  constants: ['BY_ROWS', 'SUMMED'],
});
const settleKernel = defineKernel({
  name: 'adam_settle',
  params: { rows: 'u32', dim: 'u32', slot: 'u32' },
  bindings: { slots: 'read', step: 'read', hyper: 'read', ...state },
});
const stampKernel = defineKernel({
  name: 'stamp_rows',
  params: { rows: 'u32' },
  bindings: { step: 'read', slots: 'write' },
});
const normKernel = defineKernel({
  name: 'row_norm',
  params: { n: 'u32', split: 'u32', dim_a: 'u32', dim_b: 'u32', x: 'u32', n4: 'u32', threads: 'u32' },
  bindings: { groups: 'read', slots: 'read', dy: 'write', others: 'read', partial: 'write' },
});

/** Weights and moments of one stretch of the arenas. */
export type RowState = Record<keyof typeof state, View>;

/** A batch's positions, and the tables that they look up; lengths and places count vectors of four elements. */
export type RowParams = Readonly<Record<keyof typeof rowParams, number>>;

/** How the threads of adam_gather and adam_scatter are spread over a batch. */
export interface Walk {
  /** Over the tables' rows, where most of them occur in the batch, instead of over the batch's positions. */
  readonly byRows: boolean;
  /** Threads for a row. */
  readonly lanes: number;
}

/**
 * On a CPU adapter memory is what rows cost, so that a batch that looks at many of them walks through the tables in order,
 * a thread a row. Otherwise steps missed are what they cost, so that the lanes of a subgroup share a row: they have missed
 * the same.
 * @param vectors of a row, in all tables
 */
export function walkOf({ adapterKind }: Gpu, positions: number, rows: number, vectors: number): Walk {
  if (adapterKind === 'hardware') return { byRows: positions >= rows, lanes: vectors };
  return 2 * positions >= rows
    ? { byRows: true, lanes: 1 }
    : { byRows: false, lanes: Math.min(LANES, Math.ceil(vectors / 2)) };
}

/** Looks up the rows of a batch. @param catchUp brings them up to date before @param lookUp false does that alone */
export function adamGather(
  plan: Plan,
  views: RowState & Record<'groups' | 'slots' | 'step' | 'hyper' | 'out', View>,
  params: RowParams,
  { byRows, catchUp, lookUp = true }: Record<'byRows' | 'catchUp', boolean> & { readonly lookUp?: boolean },
): void {
  const groups = groupsFor(params.count * params.lanes);
  const variant = { BY_ROWS: Number(byRows), CATCH_UP: Number(catchUp), LOOK_UP: Number(lookUp) };
  plan.dispatch(gatherKernel, views, params, groups, variant);
}

/** Adam's present step on the rows of a batch. @param summed row_norm has added up their gradients already */
export function adamScatter(
  plan: Plan,
  views: RowState & Record<'groups' | 'slots' | 'dy' | 'step' | 'hyper', View>,
  params: RowParams,
  { byRows, summed }: { readonly byRows: boolean; readonly summed: boolean },
): void {
  const groups = groupsFor(params.count * params.lanes);
  plan.dispatch(scatterKernel, views, params, groups, { BY_ROWS: Number(byRows), SUMMED: Number(summed) });
}

/** Adam's missed steps on all rows of one table. @param slot the place of its first row's slot */
export function adamSettle(
  plan: Plan,
  views: RowState & Record<'slots' | 'step' | 'hyper', View>,
  { rows, dim, slot }: { readonly rows: number; readonly dim: number; readonly slot: number },
): void {
  plan.dispatch(settleKernel, views, { rows, dim, slot }, groupsFor(rows * dim));
}

/** slots[r].x = step. */
export function stampRows(plan: Plan, views: Record<'step' | 'slots', View>, rows: number): void {
  plan.dispatch(stampKernel, views, { rows }, groupsFor(rows));
}

/**
 * Sums each row's gradient into dy at its first position, and the squares of all gradients into partial f32[NORM_THREADS].
 * @param others the gradients of what is no table, in pieces as for globalNorm; not none
 */
export function rowNorm(
  plan: Plan,
  views: Record<'groups' | 'slots' | 'dy' | 'partial', View>,
  [first, ...more]: readonly SizedView[],
  { split, dim_a, dim_b, x }: Pick<RowParams, 'split' | 'dim_a' | 'dim_b' | 'x'>,
): void {
  const n4 = first!.size / 16;
  const params = { n: 2 * split, split, dim_a, dim_b, x, n4, threads: NORM_THREADS };
  plan.dispatch(normKernel, { ...views, others: first! }, params, groupsFor(NORM_THREADS));
  globalNorm(plan, more, views.partial, n4);
}
