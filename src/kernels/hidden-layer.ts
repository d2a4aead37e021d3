import type { Gpu } from '../gpu/device.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { BATCH_NORM_EPS, BATCH_NORM_MOMENTUM, type BatchNormSize } from './batch-norm.ts';
import { type DropoutKey, dropoutParams } from './dropout.ts';
import { groupsFor, LANES, type View } from './launch.ts';
import { type LinearSize, productVariant } from './linear.ts';

const forwardKernel = defineKernel({
  name: 'linear_batch_norm_subgroup',
  params: {
    rows: 'u32',
    inputs: 'u32',
    outputs: 'u32',
    momentum: 'f32',
    eps: 'f32',
    seed: 'u32',
    stream: 'u32',
    threshold: 'u32',
    scale: 'f32',
  },
  bindings: {
    x: 'read',
    weight: 'read',
    bias: 'read',
    gamma: 'read',
    beta: 'read',
    step: 'read',
    runningMean: 'write',
    runningVar: 'write',
    moments: 'write',
    z: 'write',
    y: 'write',
  },
  constants: ['DROPOUT'],
});
const lastBackwardKernel = defineKernel({
  name: 'batch_norm_backward_columns',
  params: { rows: 'u32', features: 'u32', scale: 'f32' },
  bindings: {
    z: 'read',
    moments: 'read',
    gamma: 'read',
    y: 'read',
    dy: 'read',
    dgamma: 'write',
    dbeta: 'write',
    dz: 'write',
  },
  constants: ['WG'],
});
const backwardKernel = defineKernel({
  name: 'hidden_backward_subgroup',
  params: { rows: 'u32', depth: 'u32', features: 'u32', scale: 'f32' },
  bindings: {
    behind: 'read',
    weight: 'read',
    z: 'read',
    y: 'read',
    moments: 'read',
    gamma: 'read',
    dgamma: 'write',
    dbeta: 'write',
    dz: 'write',
    dweight: 'write',
    dbias: 'write',
  },
});

/** Columns of a workgroup, which does all rows of them. */
const COLUMNS = 32;
/** Rows of a tile of a weight's gradient, each of as many columns. */
const TILE_ROWS = 16;
/**
 * Up to so many rows dispatches are what a step costs on a CPU adapter, beyond cores that have nothing to do. Two cores
 * gain a fifth at 256 rows and nothing to speak of at 1,024; more cores lose there.
 */
const MOST_ROWS = 512;
/** So many inputs’ weights fit the memory of a workgroup. */
const MOST_INPUTS = 128;
const STORAGE_BUFFERS = Object.keys(forwardKernel.bindings).length;

/** Whether a hidden layer with BatchNorm is better computed in one dispatch than in three. */
export function inOneDispatch(gpu: Gpu, size: LinearSize): boolean {
  return (
    size.rows <= MOST_ROWS &&
    size.inputs <= MOST_INPUTS &&
    gpu.limits.maxStorageBuffersPerShaderStage >= STORAGE_BUFFERS &&
    productVariant(gpu, size, size.rows, size.outputs) === 'subgroup'
  );
}

/** z, moments, running averages and y = dropout(relu(batchNorm(x · weightᵀ + bias))). */
export function linearBatchNorm(
  plan: Plan,
  views: Record<
    'x' | 'weight' | 'bias' | 'gamma' | 'beta' | 'runningMean' | 'runningVar' | 'moments' | 'z' | 'y',
    View
  >,
  size: LinearSize,
  dropout: DropoutKey,
): void {
  const bindings = { ...views, step: dropout.step ?? plan.gpu.unused };
  const params = { ...size, momentum: BATCH_NORM_MOMENTUM, eps: BATCH_NORM_EPS, ...dropoutParams(dropout) };
  const DROPOUT = Number(dropout.p > 0);
  plan.dispatch(forwardKernel, bindings, params, Math.ceil(size.outputs / COLUMNS), { DROPOUT });
}

type NormViews = Record<'z' | 'y' | 'moments' | 'gamma' | 'dgamma' | 'dbeta' | 'dz', View>;

/** dz, dgamma and dbeta of a hidden layer from the gradient of its output; `scale` is dropout's 1 / (1 − p). */
export function hiddenBackward(
  plan: Plan,
  views: NormViews & { readonly dy: View },
  { rows, features }: BatchNormSize,
  scale: number,
): void {
  const vectors = features / 4;
  const params = { rows, features: vectors, scale };
  plan.dispatch(lastBackwardKernel, views, params, groupsFor(vectors, LANES), { WG: LANES });
}

/**
 * The same from the gradient of what the linear layer behind it puts out, and that layer's gradients of weight and bias; the
 * bias has none, because another BatchNorm follows.
 * @param behind of that layer: the gradient, f32[rows, outputs], and its own tensors
 */
export function hiddenBackwardBetween(
  plan: Plan,
  views: NormViews,
  { rows, features }: BatchNormSize,
  behind: Record<'dz' | 'weight' | 'dweight' | 'dbias', View> & { readonly outputs: number },
  scale: number,
): void {
  const { weight, dweight, dbias, outputs: depth } = behind;
  const bindings = { ...views, behind: behind.dz, weight, dweight, dbias };
  const tiles = Math.ceil(features / COLUMNS) * (1 + Math.ceil(depth / TILE_ROWS));
  plan.dispatch(backwardKernel, bindings, { rows, depth, features, scale }, tiles);
}
