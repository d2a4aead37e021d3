import { ConfigError } from '../../errors.ts';
import * as kernels from '../../kernels/batch-norm.ts';
import { NO_DROPOUT } from '../../kernels/dropout.ts';
import * as linearKernels from '../../kernels/linear.ts';
import type { BackwardPass } from '../nodes.ts';
import { type Tape, tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { type DropoutOptions, dropoutKey } from './dropout.ts';
import { linearBackward, linearSize } from './linear.ts';
import { expectShape } from './shapes.ts';

/** Scale, shift and running averages of one layer, each f32[features] (torch.nn.BatchNorm1d). */
export interface BatchNormTensors {
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
}

interface Behind {
  readonly relu: boolean;
  /** Dropout's 1 / (1 − p). */
  readonly scale: number;
}

/**
 * gamma · (x − mean) / √(variance + 1e-5) + beta over the batch x f32[rows, features], which also moves the running
 * averages (momentum 0.1, unbiased variance). Throws ConfigError for a batch of one row: it has no variance.
 */
export function batchNorm(x: Tensor, norm: BatchNormTensors): Tensor {
  const size = batchNormSize(x, norm);
  const tape = tapeOf(x.gpu);
  const statistics = tape.scratch(2 * kernels.statisticsLength(size), 'batch norm statistics');
  kernels.batchNormStats(tape.plan, x.view, statistics.view, size);
  const moments = finish(tape, statistics, norm, size);
  const y = tape.output(x.shape, 'batch_norm', [x, norm.gamma, norm.beta]);
  kernels.batchNormApply(tape.plan, { ...views(norm), x: x.view, moments: moments.view, y: y.view }, size);
  tape.remember(y, (pass) => {
    const dx = pass.gradient(x) ?? tape.scratch(x.size, 'unused gradient');
    batchNormBackward(pass, { x, moments, y, dx }, norm, { relu: false, scale: 1 });
  });
  return y;
}

/**
 * dropout(relu(batchNorm(linear(x, weight, bias)))) in three dispatches: the product's epilogue computes the partial
 * statistics, one kernel finishes them, one normalises, rectifies and drops.
 */
export function linearBatchNormRelu(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  norm: BatchNormTensors,
  p = 0,
  dropoutOptions?: DropoutOptions,
): Tensor {
  if (p > 0 && !dropoutOptions) throw new ConfigError('linearBatchNormRelu: dropout needs a seed, a layer and a clock');
  const tape = tapeOf(x.gpu);
  const linear = linearSize(x, weight, bias);
  const z = tape.output([linear.rows, linear.outputs], 'linear', [x, weight, bias]);
  const size = batchNormSize(z, norm);
  const statistics = tape.scratch(2 * kernels.statisticsLength(size), 'batch norm statistics');
  linearKernels.linear(tape.plan, { x: x.view, weight: weight.view, bias: bias.view, y: z.view }, linear, {
    statistics: statistics.view,
  });
  const moments = finish(tape, statistics, norm, size);
  const y = tape.output(z.shape, 'linear_batch_norm_relu', [z, norm.gamma, norm.beta]);
  kernels.batchNormApply(tape.plan, { ...views(norm), x: z.view, moments: moments.view, y: y.view }, size, {
    relu: true,
    dropout: p > 0 ? dropoutKey(p, dropoutOptions!) : NO_DROPOUT,
  });
  tape.remember(y, (pass) => {
    const dz = tape.scratch(z.size, 'gradient before batch norm');
    batchNormBackward(pass, { x: z, moments, y, dx: dz }, norm, { relu: true, scale: 1 / (1 - p) });
    linearBackward(pass, dz, { x, weight, bias }, { noBias: true });
  });
  return y;
}

/** Weight and bias of the linear layer that does what linear and BatchNorm, evaluated, do together. */
export function foldBatchNorm(weight: Tensor, bias: Tensor, norm: BatchNormTensors): { weight: Tensor; bias: Tensor } {
  const tape = tapeOf(weight.gpu);
  const [outputs, inputs] = weight.shape as [number, number];
  const folded = {
    weight: tape.output(weight.shape, 'folded weight', []),
    bias: tape.output(bias.shape, 'folded bias', []),
  };
  kernels.batchNormFold(
    tape.plan,
    {
      weight: weight.view,
      bias: bias.view,
      ...views(norm),
      runningMean: norm.runningMean.view,
      runningVar: norm.runningVar.view,
      foldedWeight: folded.weight.view,
      foldedBias: folded.bias.view,
    },
    { inputs, outputs },
  );
  return folded;
}

function batchNormSize(x: Tensor, norm: BatchNormTensors): kernels.BatchNormSize {
  expectShape('batchNorm', 'x', x, [null, null]);
  const [rows, features] = x.shape as [number, number];
  for (const [name, vector] of Object.entries(norm)) expectShape('batchNorm', name, vector, [features]);
  if (rows < 2) {
    throw new ConfigError(`batch norm over a batch of ${rows}: one sample has no variance; 2 or more would be right`);
  }
  return { rows, features };
}

function views({ gamma, beta }: BatchNormTensors) {
  return { gamma: gamma.view, beta: beta.view };
}

function finish(tape: Tape, statistics: Tensor, norm: BatchNormTensors, size: kernels.BatchNormSize): Tensor {
  const moments = tape.scratch(2 * size.features, 'batch norm moments');
  const running = { runningMean: norm.runningMean.view, runningVar: norm.runningVar.view };
  kernels.batchNormFinish(tape.plan, { statistics: statistics.view, moments: moments.view, ...running }, size);
  return moments;
}

function batchNormBackward(
  { plan, dy, gradient }: BackwardPass,
  { x, moments, y, dx }: Record<'x' | 'moments' | 'y' | 'dx', Tensor>,
  { gamma, beta }: BatchNormTensors,
  behind: Behind,
): void {
  const tape = tapeOf(x.gpu);
  const [rows, features] = x.shape as [number, number];
  const size = { rows, features };
  const dgamma = gradient(gamma) ?? tape.scratch(features, 'unused gradient');
  const dbeta = gradient(beta) ?? tape.scratch(features, 'unused gradient');
  const sums = tape.scratch(2 * kernels.sumsLength(size), 'batch norm sums');
  const all = { x, moments, y, dy, dx, gamma, dgamma, dbeta, sums };
  const bindings = Object.fromEntries(Object.entries(all).map(([name, { view }]) => [name, view]));
  kernels.batchNormBackward(plan, bindings as Record<keyof typeof all, GPUBufferBinding>, size, behind);
}
