import type { Gpu } from '../gpu/device.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, productThreads, runsOnSubgroups, type View } from './launch.ts';
import { productInTiles } from './linear-tiled.ts';

const PARAMS = { rows: 'u32', inputs: 'u32', outputs: 'u32' } as const;
const FORWARD = { x: 'read', weight: 'read', bias: 'read', y: 'write', statistics: 'write' } as const;
const INPUT_GRAD = { dy: 'read', y: 'read', weight: 'read', dx: 'write' } as const;
const WEIGHT_GRAD = { x: 'read', dy: 'read', y: 'read', dweight: 'write', dbias: 'write' } as const;

const linearKernel = defineKernel({
  name: 'linear',
  params: PARAMS,
  bindings: FORWARD,
  constants: ['RELU', 'STATISTICS', 'WG'],
});
const linearSubgroupKernel = defineKernel({
  name: 'linear_subgroup',
  params: PARAMS,
  bindings: FORWARD,
  constants: ['RELU', 'STATISTICS'],
});
const inputGradKernel = defineKernel({
  name: 'linear_input_grad',
  params: PARAMS,
  bindings: INPUT_GRAD,
  constants: ['RELU', 'WG'],
});
const inputGradSubgroupKernel = defineKernel({
  name: 'linear_input_grad_subgroup',
  params: PARAMS,
  bindings: INPUT_GRAD,
  constants: ['RELU'],
});
const weightGradKernel = defineKernel({
  name: 'linear_weight_grad',
  params: { ...PARAMS, span: 'u32' },
  bindings: WEIGHT_GRAD,
  constants: ['NO_BIAS', 'RELU', 'WG'],
});
const weightGradSubgroupKernel = defineKernel({
  name: 'linear_weight_grad_subgroup',
  params: { ...PARAMS, span: 'u32' },
  bindings: WEIGHT_GRAD,
  constants: ['NO_BIAS', 'RELU'],
});
const backwardSubgroupKernel = defineKernel({
  name: 'linear_backward_subgroup',
  params: PARAMS,
  bindings: { x: 'read', dy: 'read', y: 'read', weight: 'read', dweight: 'write', dbias: 'write', dx: 'write' },
  constants: ['NO_BIAS', 'RELU'],
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
const BLOCK = [8, 4] as const;
/** Rows and columns of the tile that one subgroup keeps. */
const SUBGROUP_TILE = [16, 32] as const;

/**
 * `blocks`: a block in each thread's registers; `subgroup`: a tile in each subgroup of 8 lanes; `tiled`: a tile in the
 * memory of each workgroup.
 */
export type ProductVariant = 'blocks' | 'subgroup' | 'tiled';

/** The variants that can compute a layer's products on an adapter: all but `blocks` load four numbers at once. */
export function productVariants(gpu: Gpu, { inputs, outputs }: LinearSize): readonly ProductVariant[] {
  if (inputs % 4 > 0 || outputs % 4 > 0) return ['blocks'];
  return runsOnSubgroups(gpu) ? ['blocks', 'subgroup', 'tiled'] : ['blocks', 'tiled'];
}

/**
 * The variant of a layer's product of so many rows and columns, where nothing else is asked for. CPU adapters: as measured
 * (README, Products); `tiled` waits at barriers, which is slow there. GPUs: tiles where there is one to fill.
 */
export function productVariant(gpu: Gpu, size: LinearSize, rows: number, columns: number): ProductVariant {
  const variants = productVariants(gpu, size);
  if (gpu.adapterKind === 'hardware') {
    return variants.includes('tiled') && rows >= 64 && columns >= 32 ? 'tiled' : 'blocks';
  }
  return variants.includes('subgroup') && size.rows >= 8 && columns >= 16 ? 'subgroup' : 'blocks';
}

/**
 * Whether the gradients of a layer take a rectifier's gradient on load (`relu`) at less than the cost of relu_backward.
 * On a CPU adapter, where every load counts, a tile of a subgroup loads y for every 32 inputs, which is worth it up to 128
 * (measured); a block does for every four.
 */
export function rectifiesOnLoad(gpu: Gpu, size: LinearSize): boolean {
  if (gpu.adapterKind === 'hardware') return true;
  return size.inputs <= 128 && productVariant(gpu, size, size.rows, size.inputs) === 'subgroup';
}

/** Blocks or tiles of so many rows and columns. */
const count = (rows: number, columns: number, [high, wide]: readonly [number, number]) =>
  Math.ceil(rows / high) * Math.ceil(columns / wide);

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
    variant = productVariant(plan.gpu, size, size.rows, size.outputs),
  }: { readonly relu?: boolean; readonly statistics?: View; readonly variant?: ProductVariant } = {},
): void {
  const { rows, inputs, outputs } = size;
  if (variant === 'tiled') {
    const { x, weight, bias, y } = views;
    const product = { rows, columns: outputs, depth: inputs, aAlongDepth: true, bAlongDepth: true };
    productInTiles(plan, { a: x, b: weight, c: y }, product, { bias, relu, ...(statistics && { statistics }) });
    return;
  }
  const bindings = { ...views, statistics: statistics ?? plan.gpu.unused };
  const constants = { RELU: Number(relu), STATISTICS: Number(statistics !== undefined) };
  if (variant === 'subgroup') {
    plan.dispatch(linearSubgroupKernel, bindings, size, count(rows, outputs, SUBGROUP_TILE), constants);
    return;
  }
  const WG = productThreads(plan.gpu);
  plan.dispatch(linearKernel, bindings, size, groupsFor(count(rows, outputs, BLOCK), WG), { ...constants, WG });
}

/**
 * dx = dy · weight.
 * @param relu the output y of a rectifier behind the layer: dy is then its gradient, and counts as 0 where y is not above 0
 */
export function linearInputGrad(
  plan: Plan,
  views: Record<'dy' | 'weight' | 'dx', View>,
  size: LinearSize,
  {
    relu,
    variant = productVariant(plan.gpu, size, size.rows, size.inputs),
  }: { readonly relu?: View; readonly variant?: ProductVariant } = {},
): void {
  const { rows, inputs, outputs } = size;
  if (variant === 'tiled') {
    const { dy, weight, dx } = views;
    const product = { rows, columns: inputs, depth: outputs, aAlongDepth: true, bAlongDepth: false };
    productInTiles(plan, { a: dy, b: weight, c: dx }, product, relu && { mask: relu });
    return;
  }
  const bindings = { ...views, y: relu ?? views.dy };
  const RELU = Number(relu !== undefined);
  if (variant === 'subgroup') {
    plan.dispatch(inputGradSubgroupKernel, bindings, size, count(rows, inputs, SUBGROUP_TILE), { RELU });
    return;
  }
  const WG = productThreads(plan.gpu);
  plan.dispatch(inputGradKernel, bindings, size, groupsFor(count(rows, inputs, BLOCK), WG), { RELU, WG });
}

/** Rows of a part of a weight's gradient, at least. */
const PART_ROWS = { software: 2048, hardware: 128 } as const;

/**
 * How the rows of a batch are divided for the weight gradient: into parts of `span` rows, summed apart and then together.
 * A GPU needs many parts to be busy, since the weight itself is small; on a CPU adapter each part costs a pass.
 */
export function weightGradParts(plan: Plan, rows: number): { readonly parts: number; readonly span: number } {
  const { adapterKind } = plan.gpu;
  const most = adapterKind === 'software' ? 8 : 64;
  const parts = Math.max(1, Math.min(most, Math.ceil(rows / PART_ROWS[adapterKind])));
  const span = Math.max(1, Math.ceil(rows / parts));
  return { parts: Math.max(1, Math.ceil(rows / span)), span };
}

/**
 * dweight = dyᵀ · x, dbias = Σ_rows dy, or 0 with `noBias`.
 * @param scratch f32[parts · outputs · inputs] and f32[parts · outputs], needed when there are several parts
 * @param relu as for linearInputGrad
 */
export function linearWeightGrad(
  plan: Plan,
  views: Record<'x' | 'dy' | 'dweight' | 'dbias', View>,
  size: LinearSize,
  {
    scratch,
    noBias = false,
    relu,
    variant = productVariant(plan.gpu, size, size.outputs, size.inputs),
  }: {
    readonly scratch?: { readonly weight: View; readonly bias: View };
    readonly noBias?: boolean;
    readonly relu?: View;
    readonly variant?: ProductVariant;
  } = {},
): void {
  const { rows, inputs, outputs } = size;
  const { parts, span } = weightGradParts(plan, rows);
  const { x, dy, dweight, dbias } = views;
  const bindings = { x, dy, y: relu ?? dy, dweight: scratch?.weight ?? dweight, dbias: scratch?.bias ?? dbias };
  const constants = { NO_BIAS: Number(noBias), RELU: Number(relu !== undefined) };
  if (variant === 'tiled') {
    const product = { rows: outputs, columns: inputs, depth: rows, aAlongDepth: false, bAlongDepth: false };
    productInTiles(plan, { a: dy, b: x, c: bindings.dweight }, product, {
      parts: { parts, span },
      rowSums: { to: bindings.dbias, zero: noBias },
      ...(relu && { mask: relu }),
    });
  } else if (variant === 'subgroup') {
    const tiles = count(outputs, inputs, SUBGROUP_TILE) * parts;
    plan.dispatch(weightGradSubgroupKernel, bindings, { ...size, span }, tiles, constants);
  } else {
    const WG = productThreads(plan.gpu);
    const groups = groupsFor(count(outputs, inputs, BLOCK) * parts, WG);
    plan.dispatch(weightGradKernel, bindings, { ...size, span }, groups, { ...constants, WG });
  }
  if (!scratch) return;
  sumParts(plan, scratch.weight, dweight, outputs * inputs, parts);
  sumParts(plan, scratch.bias, dbias, outputs, parts);
}

/** Whether both products of a layer's backward pass are better computed in one dispatch: on subgroups, from few rows. */
export function backwardInOne(gpu: Gpu, size: LinearSize): boolean {
  const variants = [
    productVariant(gpu, size, size.rows, size.inputs),
    productVariant(gpu, size, size.outputs, size.inputs),
  ];
  return size.rows <= PART_ROWS.software && variants.every((variant) => variant === 'subgroup');
}

/** dx, dweight and dbias as linearInputGrad and linearWeightGrad compute them, where `backwardInOne`. */
export function linearBackward(
  plan: Plan,
  views: Record<'x' | 'dy' | 'weight' | 'dx' | 'dweight' | 'dbias', View>,
  size: LinearSize,
  { relu, noBias = false }: { readonly relu?: View; readonly noBias?: boolean } = {},
): void {
  const { rows, inputs, outputs } = size;
  const tiles = count(outputs, inputs, SUBGROUP_TILE) + count(rows, inputs, SUBGROUP_TILE);
  const constants = { NO_BIAS: Number(noBias), RELU: Number(relu !== undefined) };
  plan.dispatch(backwardSubgroupKernel, { ...views, y: relu ?? views.dy }, size, tiles, constants);
}

/** out[i] = Σ over the parts, in order: parts[part, i], n elements each. */
export function sumParts(plan: Plan, parts: View, out: View, n: number, count: number): void {
  plan.dispatch(sumPartsKernel, { parts, out }, { n, count }, groupsFor(n));
}
