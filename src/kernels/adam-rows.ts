import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';
import { NORM_THREADS } from './optimizers.ts';

const rowParams = {
  first: 'u32',
  slots: 'u32',
  split: 'u32',
  offset: 'u32',
  dim_a: 'u32',
  dim_b: 'u32',
  user_a: 'u32',
  item_a: 'u32',
  user_b: 'u32',
  item_b: 'u32',
  x: 'u32',
} as const;
const state = { weight: 'write', m: 'write', v: 'write' } as const;
const gatherKernel = defineKernel({
  name: 'adam_gather',
  params: rowParams,
  bindings: { groups: 'read', step: 'read', hyper: 'read', ...state, out: 'write' },
});
const scatterKernel = defineKernel({
  name: 'adam_scatter',
  params: rowParams,
  bindings: { groups: 'read', dy: 'read', clip: 'read', step: 'read', hyper: 'read', ...state },
  constants: ['SUMMED'],
});
const settleKernel = defineKernel({
  name: 'adam_settle',
  params: { rows: 'u32', dim: 'u32', stamp: 'u32' },
  bindings: { stamps: 'read', step: 'read', hyper: 'read', ...state },
});
const stampKernel = defineKernel({
  name: 'stamp_rows',
  params: { rows: 'u32' },
  bindings: { step: 'read', stamps: 'write' },
});
const normKernel = defineKernel({
  name: 'row_norm',
  params: { n: 'u32', split: 'u32', dim_a: 'u32', dim_b: 'u32', x: 'u32', threads: 'u32' },
  bindings: { groups: 'read', dy: 'write', partial: 'write' },
});

/** Weights and moments of one stretch of the arenas. */
export type RowState = Record<keyof typeof state, View>;

/** A batch's positions, and the tables that they look up; lengths and places count vectors of four elements. */
export type RowParams = Readonly<Record<keyof typeof rowParams, number>>;

const threadsOf = ({ slots, dim_a, dim_b }: RowParams) => slots * (dim_a + dim_b);

/** Brings the rows of a batch up to date and looks them up. */
export function adamGather(
  plan: Plan,
  views: RowState & Record<'groups' | 'step' | 'hyper' | 'out', View>,
  params: RowParams,
): void {
  plan.dispatch(gatherKernel, views, params, groupsFor(threadsOf(params)));
}

/** Adam's present step on the rows of a batch. @param summed row_norm has added up their gradients already */
export function adamScatter(
  plan: Plan,
  views: RowState & Record<'groups' | 'dy' | 'clip' | 'step' | 'hyper', View>,
  params: RowParams,
  summed: boolean,
): void {
  plan.dispatch(scatterKernel, views, params, groupsFor(threadsOf(params)), { SUMMED: Number(summed) });
}

/** Adam's missed steps on all rows of one table. @param stamp the place of its first row's stamp */
export function adamSettle(
  plan: Plan,
  views: RowState & Record<'stamps' | 'step' | 'hyper', View>,
  { rows, dim, stamp }: { readonly rows: number; readonly dim: number; readonly stamp: number },
): void {
  plan.dispatch(settleKernel, views, { rows, dim, stamp }, groupsFor(rows * dim));
}

/** stamps[r] = step. */
export function stampRows(plan: Plan, views: Record<'step' | 'stamps', View>, rows: number): void {
  plan.dispatch(stampKernel, views, { rows }, groupsFor(rows));
}

/** Sums each row's gradient into dy at its first position, and the squares into partial f32[NORM_THREADS]. */
export function rowNorm(
  plan: Plan,
  views: Record<'groups' | 'dy' | 'partial', View>,
  { first, slots, split, dim_a, dim_b, x }: RowParams,
): void {
  const params = { n: first + slots, split, dim_a, dim_b, x, threads: NORM_THREADS };
  plan.dispatch(normKernel, views, params, groupsFor(NORM_THREADS));
}
