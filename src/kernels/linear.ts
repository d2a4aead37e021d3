import type { Gpu } from '../gpu/device.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, productThreads, type View } from './launch.ts';
import { productOnSubgroups, runsOnSubgroups } from './linear-subgroup.ts';

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

/** `blocks`: a block in each thread's registers; `subgroup`: a tile in each subgroup of 8 lanes. */
export type ProductVariant = 'blocks' | 'subgroup';

/** The variants that can run on an adapter. */
export function productVariants(gpu: Gpu): readonly ProductVariant[] {
  return runsOnSubgroups(gpu) ? ['blocks', 'subgroup'] : ['blocks'];
}

/**
 * The variant of a product of so many rows and columns: `subgroup` on CPU adapters with subgroups of 8, where layers of
 * 32 units and more run 1.2 to 3.1 times as fast (README, Products) and smaller ones about as fast, except where the tile
 * would be mostly padding. Both give the same bits there.
 */
export function productVariant(gpu: Gpu, rows: number, columns: number): ProductVariant {
  const subgroups = gpu.adapterKind === 'software' && runsOnSubgroups(gpu);
  return subgroups && rows >= 8 && columns >= 8 ? 'subgroup' : 'blocks';
}

const blocks = (rows: number, columns: number) => Math.ceil(rows / BLOCK_ROWS) * Math.ceil(columns / BLOCK_COLUMNS);

/**
 * y = x · weightᵀ + bias, with `relu` followed by the rectifier, with `statistics` (vec2f[⌈rows / 8⌉, outputs]) also the
 * partial statistics that batch_norm_finish joins.
 */
export function linear(
  plan: Plan,
  views: Record<'x' | 'weight' | 'bias' | 'y', View>,
  size: LinearSize,
  {
    relu = false,
    statistics,
    variant = productVariant(plan.gpu, size.rows, size.outputs),
  }: { readonly relu?: boolean; readonly statistics?: View; readonly variant?: ProductVariant } = {},
): void {
  const { rows, inputs, outputs } = size;
  if (variant === 'subgroup') {
    const { x, weight, bias, y } = views;
    const product = { rows, columns: outputs, depth: inputs, a_row: inputs, a_k: 1, b_column: inputs, b_k: 1 };
    productOnSubgroups(plan, { a: x, b: weight, c: y }, product, { bias, relu, ...(statistics && { statistics }) });
    return;
  }
  const WG = productThreads(plan.gpu);
  plan.dispatch(
    linearKernel,
    { ...views, statistics: statistics ?? plan.gpu.unused },
    size,
    groupsFor(blocks(rows, outputs), WG),
    { WG, RELU: Number(relu), STATISTICS: Number(statistics !== undefined) },
  );
}

/** dx = dy · weight. */
export function linearInputGrad(
  plan: Plan,
  dy: View,
  weight: View,
  dx: View,
  size: LinearSize,
  variant = productVariant(plan.gpu, size.rows, size.inputs),
): void {
  const { rows, inputs, outputs } = size;
  if (variant === 'subgroup') {
    const product = { rows, columns: inputs, depth: outputs, a_row: outputs, a_k: 1, b_column: 1, b_k: inputs };
    productOnSubgroups(plan, { a: dy, b: weight, c: dx }, product);
    return;
  }
  const WG = productThreads(plan.gpu);
  plan.dispatch(inputGradKernel, { dy, weight, dx }, size, groupsFor(blocks(rows, inputs), WG), { WG });
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
    variant = productVariant(plan.gpu, size.outputs, size.inputs),
  }: {
    readonly scratch?: { readonly weight: View; readonly bias: View };
    readonly noBias?: boolean;
    readonly variant?: ProductVariant;
  } = {},
): void {
  const { rows, inputs, outputs } = size;
  const { parts, span } = weightGradParts(plan, rows);
  const { x, dy, dweight, dbias } = views;
  const to = scratch ? { dweight: scratch.weight, dbias: scratch.bias } : { dweight, dbias };
  if (variant === 'subgroup') {
    const product = { rows: outputs, columns: inputs, depth: rows, a_row: 1, a_k: outputs, b_column: 1, b_k: inputs };
    productOnSubgroups(plan, { a: dy, b: x, c: to.dweight }, product, {
      parts: { parts, span },
      rowSums: { to: to.dbias, zero: noBias },
    });
  } else {
    const WG = productThreads(plan.gpu);
    const groups = groupsFor(blocks(outputs, inputs) * parts, WG);
    plan.dispatch(weightGradKernel, { x, dy, ...to }, { ...size, span }, groups, { WG, NO_BIAS: Number(noBias) });
  }
  if (!scratch) return;
  sumParts(plan, scratch.weight, dweight, outputs * inputs, parts);
  sumParts(plan, scratch.bias, dbias, outputs, parts);
}

/** out[i] = Σ over the parts, in order: parts[part, i], n elements each. */
export function sumParts(plan: Plan, parts: View, out: View, n: number, count: number): void {
  plan.dispatch(sumPartsKernel, { parts, out }, { n, count }, groupsFor(n));
}
