import { ConfigError } from '../../errors.ts';
import * as kernels from '../../kernels/batch-norm.ts';
import type { BackwardPass } from '../nodes.ts';
import { type Tape, tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { expectShape } from './shapes.ts';

/** Scale, shift and running averages of one layer, each f32[features] (torch.nn.BatchNorm1d). */
export interface BatchNormTensors {
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
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
  const moments = batchNormMoments(tape, statistics, norm, size);
  const y = tape.output(x.shape, 'batch_norm', [x, norm.gamma, norm.beta]);
  kernels.batchNormApply(tape.plan, { ...views(norm), x: x.view, moments: moments.view, y: y.view }, size);
  tape.remember(y, (pass) => {
    batchNormBackward(pass, pass.dy, { x, moments, y, dx: pass.gradientInto(x) }, norm);
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

/** Throws ConfigError for shapes that do not fit, and for a batch of one row. */
export function batchNormSize(x: Tensor, norm: BatchNormTensors): kernels.BatchNormSize {
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

/** f32[2 · features], mean and 1 / standard deviation of each, from the blocks' statistics; moves the running averages. */
export function batchNormMoments(
  tape: Tape,
  statistics: Tensor,
  norm: BatchNormTensors,
  size: kernels.BatchNormSize,
): Tensor {
  const moments = tape.scratch(2 * size.features, 'batch norm moments');
  const running = { runningMean: norm.runningMean.view, runningVar: norm.runningVar.view };
  kernels.batchNormFinish(tape.plan, { statistics: statistics.view, moments: moments.view, ...running }, size);
  return moments;
}

/** The gradients of a BatchNorm's input, gamma and beta. @param options as for the kernel */
export function batchNormBackward(
  { plan, gradientInto }: BackwardPass,
  dy: Tensor,
  { x, moments, y, dx }: Record<'x' | 'moments' | 'y' | 'dx', Tensor>,
  { gamma, beta }: BatchNormTensors,
  options: { readonly relu?: boolean; readonly scale?: number } = {},
): void {
  const tape = tapeOf(x.gpu);
  const [rows, features] = x.shape as [number, number];
  const size = { rows, features };
  const [dgamma, dbeta] = [gradientInto(gamma), gradientInto(beta)];
  const sums = tape.scratch(2 * kernels.sumsLength(size), 'batch norm sums');
  const all = { x, moments, y, dy, dx, gamma, dgamma, dbeta, sums };
  const bindings = Object.fromEntries(Object.entries(all).map(([name, { view }]) => [name, view]));
  kernels.batchNormBackward(plan, bindings as Record<keyof typeof all, GPUBufferBinding>, size, options);
}
