import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { type DropoutKey, dropoutParams, NO_DROPOUT } from './dropout.ts';
import { groupsFor, type View } from './launch.ts';
import type { LinearSize } from './linear.ts';

const statsKernel = defineKernel({
  name: 'batch_norm_stats',
  params: { rows: 'u32', features: 'u32' },
  bindings: { x: 'read', statistics: 'write' },
});
const finishKernel = defineKernel({
  name: 'batch_norm_finish',
  params: { rows: 'u32', features: 'u32', momentum: 'f32', eps: 'f32' },
  bindings: { statistics: 'read', moments: 'write', runningMean: 'write', runningVar: 'write' },
  constants: ['WG'],
});
const applyShape = {
  bindings: { x: 'read', moments: 'read', gamma: 'read', beta: 'read', step: 'read', y: 'write' },
  constants: ['RELU', 'DROPOUT'],
} as const;
const applyKernel = defineKernel({
  name: 'batch_norm_apply',
  params: { n: 'u32', features: 'u32', seed: 'u32', stream: 'u32', threshold: 'u32', scale: 'f32' },
  ...applyShape,
});
const applyVec4Kernel = defineKernel({
  name: 'batch_norm_apply_vec4',
  params: {
    rows: 'u32',
    features: 'u32',
    strips: 'u32',
    seed: 'u32',
    stream: 'u32',
    threshold: 'u32',
    scale: 'f32',
  },
  ...applyShape,
});
const backwardSumsShape = {
  params: { rows: 'u32', features: 'u32', scale: 'f32' },
  bindings: { x: 'read', moments: 'read', y: 'read', dy: 'read', sums: 'write' },
  constants: ['MASKED'],
} as const;
const backwardSumsKernel = defineKernel({ name: 'batch_norm_backward_sums', ...backwardSumsShape });
const backwardSumsVec4Kernel = defineKernel({ name: 'batch_norm_backward_sums_vec4', ...backwardSumsShape });
const backwardFinishKernel = defineKernel({
  name: 'batch_norm_backward_finish',
  params: { blocks: 'u32', features: 'u32' },
  bindings: { sums: 'read', dgamma: 'write', dbeta: 'write' },
  constants: ['WG'],
});
const backwardApplyShape = {
  params: { rows: 'u32', features: 'u32', scale: 'f32' },
  bindings: {
    x: 'read',
    moments: 'read',
    gamma: 'read',
    dgamma: 'read',
    dbeta: 'read',
    y: 'read',
    dy: 'read',
    dx: 'write',
  },
  constants: ['MASKED'],
} as const;
const backwardApplyKernel = defineKernel({ name: 'batch_norm_backward_apply', ...backwardApplyShape });
const backwardApplyVec4Kernel = defineKernel({ name: 'batch_norm_backward_apply_vec4', ...backwardApplyShape });
const foldKernel = defineKernel({
  name: 'batch_norm_fold',
  params: { inputs: 'u32', outputs: 'u32', eps: 'f32' },
  bindings: {
    weight: 'read',
    bias: 'read',
    gamma: 'read',
    beta: 'read',
    runningMean: 'read',
    runningVar: 'read',
    foldedWeight: 'write',
    foldedBias: 'write',
  },
});

/** Rows of a block whose partial statistics one thread computes, in batch_norm_stats and in linear's epilogue. */
const STATISTICS_ROWS = 8;
/** Rows of a block in batch_norm_backward_sums. */
const SUMS_ROWS = 32;

/** Rows of a thread in batch_norm_backward_apply and in batch_norm_apply_vec4. */
const APPLY_ROWS = 8;

/** Features of a workgroup in the finishing kernels. */
const FINISHED = 8;
/** Sizes of their workgroups: one thread a feature on a CPU adapter, where waiting for each other costs more than it saves. */
export const FINISH_THREADS = { software: FINISHED, hardware: 64 } as const;
const finishThreads = ({ gpu }: Plan): number => FINISH_THREADS[gpu.adapterKind];

/** PyTorch's defaults (torch.nn.BatchNorm1d). */
export const BATCH_NORM_MOMENTUM = 0.1;
export const BATCH_NORM_EPS = 1e-5;

export interface BatchNormSize {
  readonly rows: number;
  readonly features: number;
}

/** Whether rows are made of whole vectors of four features, for which the large kernels have a variant. */
const inVectors = ({ features }: BatchNormSize) => features % 4 === 0;

/** Elements of the buffers between the kernels, each a vec2f. */
export const statisticsLength = ({ rows, features }: BatchNormSize) => Math.ceil(rows / STATISTICS_ROWS) * features;
export const sumsLength = ({ rows, features }: BatchNormSize) => Math.ceil(rows / SUMS_ROWS) * features;

/** Partial mean and squared deviations of every block of 8 rows. */
export function batchNormStats(plan: Plan, x: View, statistics: View, size: BatchNormSize): void {
  plan.dispatch(statsKernel, { x, statistics }, { ...size }, groupsFor(statisticsLength(size)));
}

/** Joins the blocks' statistics into mean and 1/√(variance + eps), and moves the running averages. */
export function batchNormFinish(
  plan: Plan,
  views: Record<'statistics' | 'moments' | 'runningMean' | 'runningVar', View>,
  size: BatchNormSize,
  WG = finishThreads(plan),
): void {
  const params = { ...size, momentum: BATCH_NORM_MOMENTUM, eps: BATCH_NORM_EPS };
  plan.dispatch(finishKernel, views, params, groupsFor(size.features, FINISHED), { WG });
}

/** y = gamma · x̂ + beta, with `relu` and `dropout` followed by those. */
export function batchNormApply(
  plan: Plan,
  views: Record<'x' | 'moments' | 'gamma' | 'beta' | 'y', View>,
  size: BatchNormSize,
  { relu = false, dropout = NO_DROPOUT }: { readonly relu?: boolean; readonly dropout?: DropoutKey } = {},
): void {
  const { rows, features } = size;
  const bindings = { ...views, step: dropout.step ?? plan.gpu.unused };
  const constants = { RELU: Number(relu), DROPOUT: Number(dropout.p > 0) };
  if (inVectors(size)) {
    const vectors = features / 4;
    const strips = Math.ceil(rows / APPLY_ROWS);
    const params = { rows, features: vectors, strips, ...dropoutParams(dropout) };
    plan.dispatch(applyVec4Kernel, bindings, params, groupsFor(strips * vectors), constants);
    return;
  }
  const n = rows * features;
  const params = { n, features, ...dropoutParams(dropout) };
  plan.dispatch(applyKernel, bindings, params, groupsFor(Math.ceil(n / 4)), constants);
}

/**
 * dgamma, dbeta and dx.
 * @param relu whether ReLU stood behind the normalisation; `scale` is then dropout's 1 / (1 − p), and the mask is y > 0
 */
export function batchNormBackward(
  plan: Plan,
  views: Record<'x' | 'moments' | 'gamma' | 'y' | 'dy' | 'sums' | 'dgamma' | 'dbeta' | 'dx', View>,
  size: BatchNormSize,
  {
    relu = false,
    scale = 1,
    WG = finishThreads(plan),
  }: { readonly relu?: boolean; readonly scale?: number; readonly WG?: number } = {},
): void {
  const { x, moments, gamma, y, dy, sums, dgamma, dbeta, dx } = views;
  const { rows, features } = size;
  const constants = { MASKED: Number(relu) };
  const blocks = Math.ceil(rows / SUMS_ROWS);
  const [sumsOf, apply] = inVectors(size)
    ? [backwardSumsVec4Kernel, backwardApplyVec4Kernel]
    : [backwardSumsKernel, backwardApplyKernel];
  const columns = inVectors(size) ? features / 4 : features;
  const params = { rows, features: columns, scale };
  plan.dispatch(sumsOf, { x, moments, y, dy, sums }, params, groupsFor(blocks * columns), constants);
  const finished = groupsFor(features, FINISHED);
  plan.dispatch(backwardFinishKernel, { sums, dgamma, dbeta }, { blocks, features }, finished, { WG });
  const bindings = { x, moments, gamma, dgamma, dbeta, y, dy, dx };
  plan.dispatch(apply, bindings, params, groupsFor(Math.ceil(rows / APPLY_ROWS) * columns), constants);
}

/** Folds an evaluated BatchNorm into the linear layer before it. */
export function batchNormFold(
  plan: Plan,
  views: Record<
    'weight' | 'bias' | 'gamma' | 'beta' | 'runningMean' | 'runningVar' | 'foldedWeight' | 'foldedBias',
    View
  >,
  { inputs, outputs }: Pick<LinearSize, 'inputs' | 'outputs'>,
): void {
  plan.dispatch(foldKernel, views, { inputs, outputs, eps: BATCH_NORM_EPS }, groupsFor(inputs * outputs));
}
