import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, productThreads, type View } from './launch.ts';

const linearKernel = defineKernel({
  name: 'linear',
  params: { rows: 'u32', inputs: 'u32', outputs: 'u32' },
  bindings: { x: 'read', weight: 'read', bias: 'read', y: 'write', statistics: 'write' },
  constants: ['WG', 'RELU', 'STATISTICS'],
});
const inputGradKernel = defineKernel({
  name: 'linear_input_grad',
  params: { rows: 'u32', inputs: 'u32', outputs: 'u32' },
  bindings: { dy: 'read', weight: 'read', dx: 'write' },
  constants: ['WG'],
});
const weightGradKernel = defineKernel({
  name: 'linear_weight_grad',
  params: { rows: 'u32', inputs: 'u32', outputs: 'u32', span: 'u32' },
  bindings: { x: 'read', dy: 'read', dweight: 'write', dbias: 'write' },
  constants: ['WG', 'NO_BIAS'],
});
const sumPartsKernel = defineKernel({
  name: 'sum_parts',
  params: { n: 'u32', count: 'u32' },
  bindings: { parts: 'read', out: 'write' },
});

/** Sizes of a linear layer on a batch: x [rows, inputs], weight [outputs, inputs], y [rows, outputs]. */
export interface LinearSize {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** Rows and columns of the block that one thread keeps in registers. */
const BLOCK_ROWS = 8;
const BLOCK_COLUMNS = 4;

const blocks = (rows: number, columns: number) => Math.ceil(rows / BLOCK_ROWS) * Math.ceil(columns / BLOCK_COLUMNS);

/**
 * y = x · weightᵀ + bias, with `relu` followed by the rectifier, with `statistics` (vec2f[⌈rows / 8⌉, outputs]) also the
 * partial statistics that batch_norm_finish joins.
 */
export function linear(
  plan: Plan,
  views: Record<'x' | 'weight' | 'bias' | 'y', View>,
  size: LinearSize,
  { relu = false, statistics }: { readonly relu?: boolean; readonly statistics?: View } = {},
): void {
  const WG = productThreads(plan.gpu);
  plan.dispatch(
    linearKernel,
    { ...views, statistics: statistics ?? plan.gpu.unused },
    size,
    groupsFor(blocks(size.rows, size.outputs), WG),
    { WG, RELU: Number(relu), STATISTICS: Number(statistics !== undefined) },
  );
}

/** dx = dy · weight. */
export function linearInputGrad(plan: Plan, dy: View, weight: View, dx: View, size: LinearSize): void {
  const WG = productThreads(plan.gpu);
  plan.dispatch(inputGradKernel, { dy, weight, dx }, size, groupsFor(blocks(size.rows, size.inputs), WG), { WG });
}

/**
 * How the rows of a batch are divided for the weight gradient: into parts of `span` rows, summed apart and then together.
 * A GPU needs many parts to be busy, since the weight itself is small; on a CPU adapter each part costs a pass.
 */
export function weightGradParts(plan: Plan, rows: number): { readonly parts: number; readonly span: number } {
  const [least, most] = plan.gpu.adapterKind === 'software' ? [2048, 8] : [128, 64];
  const parts = Math.max(1, Math.min(most, Math.ceil(rows / least)));
  const span = Math.max(1, Math.ceil(rows / parts));
  return { parts: Math.max(1, Math.ceil(rows / span)), span };
}

/**
 * dweight = dyᵀ · x, dbias = Σ_rows dy, or 0 with `noBias`.
 * @param scratch f32[parts · outputs · inputs] and f32[parts · outputs], needed when there are several parts
 */
export function linearWeightGrad(
  plan: Plan,
  views: Record<'x' | 'dy' | 'dweight' | 'dbias', View>,
  size: LinearSize,
  {
    scratch,
    noBias = false,
  }: { readonly scratch?: { readonly weight: View; readonly bias: View }; readonly noBias?: boolean } = {},
): void {
  const WG = productThreads(plan.gpu);
  const { parts, span } = weightGradParts(plan, size.rows);
  const { x, dy, dweight, dbias } = views;
  const groups = groupsFor(blocks(size.outputs, size.inputs) * parts, WG);
  const to = scratch ? { dweight: scratch.weight, dbias: scratch.bias } : { dweight, dbias };
  plan.dispatch(weightGradKernel, { x, dy, ...to }, { ...size, span }, groups, { WG, NO_BIAS: Number(noBias) });
  if (!scratch) return;
  const sum = (from: View, out: View, n: number) =>
    plan.dispatch(sumPartsKernel, { parts: from, out }, { n, count: parts }, groupsFor(n));
  sum(scratch.weight, dweight, size.outputs * size.inputs);
  sum(scratch.bias, dbias, size.outputs);
}
