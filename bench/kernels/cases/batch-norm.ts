import * as kernels from '../../../src/kernels/batch-norm.ts';
import type { LinearSize } from '../../../src/kernels/linear.ts';
import { STREAM } from '../../../src/random.ts';
import * as reference from '../../../test/reference/batch-norm.ts';
import { absolute, fromIndex, relu } from '../../../test/reference/elementwise.ts';
import { dropout } from '../../../test/reference/random.ts';
import { type Case, hiddenLayers, type Sizes, single, times } from '../case.ts';
import { batchMoments, blockStatistics, foldBatchNorm } from '../reference.ts';

const DROPOUT = { p: 0.2, seed: 42, stream: STREAM.dropout, step: 3 };

/** BatchNorm with ReLU and dropout behind each hidden layer: forward, backward, and folded for evaluation. */
export function batchNormCases(sizes: Sizes): Case[] {
  const layers = hiddenLayers(sizes);
  const behind = layers.map(({ rows, outputs }) => ({ rows, features: outputs }));
  // Rows that are no whole vectors take other kernels; no preset has them.
  const ragged = { rows: sizes.rows, features: behind[0]!.features - 1 };
  return [...[...behind, ragged].map(forwardCase), ...[...behind, ragged].map(backwardCase), ...layers.map(foldCase)];
}

const vec4 = (kernel: string, { features }: kernels.BatchNormSize) => `${kernel}${features % 4 === 0 ? '_vec4' : ''}`;

function forwardCase(size: kernels.BatchNormSize): Case {
  const { rows, features } = size;
  const n = rows * features;
  const pairs = 2 * kernels.statisticsLength(size);
  return {
    kernels: ['batch_norm_stats', 'batch_norm_finish', vec4('batch_norm_apply', size)],
    shape: times(rows, features),
    timed: [
      { first: 0, end: 3, bytes: 4 * (2 * n + 6 * features) },
      { first: 0, end: 1, bytes: 4 * (n + pairs), flops: 4 * n },
      { first: 1, end: 2, bytes: 4 * (pairs + 6 * features) },
      { first: 2, end: 3, bytes: 4 * (2 * n + 4 * features), flops: 4 * n },
    ],
    record(trial) {
      const { draws, plan } = trial;
      const x = draws.vector(n, -2, 3);
      const [gamma, beta] = [draws.vector(features, 0.5, 2), draws.vector(features)];
      const [mean, variance] = [draws.vector(features), draws.vector(features, 0.5, 2)];
      const blocks = blockStatistics(x, size);
      const statistics = trial.output('statistics', blocks.values, blocks.scale);
      // The inputs are of the size of 1 to 3.
      const ones = (length: number) => fromIndex(length, () => 1);
      const moments = trial.output('moments', batchMoments(x, size), ones(2 * features));
      const running = reference.runningAverages(x, mean, variance, size);
      const runningMean = trial.inPlace('running mean', mean, running.mean, ones(features));
      const runningVar = trial.inPlace('running variance', variance, running.variance, ones(features));
      const expected = dropout(relu(reference.batchNorm(x, gamma, beta, size)), DROPOUT);
      const y = trial.output('y', expected, ones(n));
      const input = trial.input(x);
      kernels.batchNormStats(plan, input, statistics, size);
      kernels.batchNormFinish(plan, { statistics, moments, runningMean, runningVar }, size);
      const views = { x: input, moments, gamma: trial.input(gamma), beta: trial.input(beta), y };
      const key = { ...DROPOUT, step: trial.input(Uint32Array.of(DROPOUT.step)) };
      kernels.batchNormApply(plan, views, size, { relu: true, dropout: key });
    },
  };
}

function backwardCase(size: kernels.BatchNormSize): Case {
  const { rows, features } = size;
  const n = rows * features;
  const pairs = 2 * kernels.sumsLength(size);
  return {
    kernels: [
      vec4('batch_norm_backward_sums', size),
      'batch_norm_backward_finish',
      vec4('batch_norm_backward_apply', size),
    ],
    shape: times(rows, features),
    timed: [
      { first: 0, end: 3, bytes: 4 * (4 * n + 5 * features) },
      { first: 0, end: 1, bytes: 4 * (3 * n + 2 * features + pairs), flops: 6 * n },
      { first: 1, end: 2, bytes: 4 * (pairs + 2 * features), flops: pairs },
      { first: 2, end: 3, bytes: 4 * (4 * n + 5 * features), flops: 10 * n },
    ],
    record(trial) {
      const { draws } = trial;
      const [x, dy, gamma] = [draws.vector(n, -2, 3), draws.vector(n), draws.vector(features, 0.5, 2)];
      const y = Float32Array.from(dropout(relu(reference.batchNorm(x, gamma, draws.vector(features), size)), DROPOUT));
      const scale = 1 / (1 - DROPOUT.p);
      const reaching = fromIndex(n, (i) => (y[i]! > 0 ? scale * dy[i]! : 0));
      const expected = reference.batchNormBackward(x, gamma, reaching, size);
      const moments = Float32Array.from(batchMoments(x, size));
      // Normalised values are of the size of 1 to 2.
      const magnitudes = fromIndex(features, () => rows);
      const outputs = {
        dgamma: trial.output('dgamma', expected.dgamma, magnitudes),
        dbeta: trial.output('dbeta', expected.dbeta, magnitudes),
        dx: trial.output(
          'dx',
          expected.dx,
          fromIndex(n, (i) => gamma[i % features]! * moments[2 * (i % features) + 1]!),
        ),
        sums: trial.scratch(pairs),
      };
      const inputs = { x: trial.input(x), moments: trial.input(moments), gamma: trial.input(gamma) };
      const views = { ...inputs, y: trial.input(y), dy: trial.input(dy), ...outputs };
      kernels.batchNormBackward(trial.plan, views, size, { relu: true, scale });
    },
  };
}

function foldCase({ inputs, outputs }: LinearSize): Case {
  const work = { bytes: 4 * (2 * outputs * inputs + 6 * outputs), flops: outputs * inputs };
  return single('batch_norm_fold', `${inputs} → ${outputs}`, work, (trial) => {
    const { draws } = trial;
    const layer = {
      weight: draws.vector(outputs * inputs),
      bias: draws.vector(outputs),
      gamma: draws.vector(outputs, 0.5, 2),
      beta: draws.vector(outputs),
      mean: draws.vector(outputs),
      variance: draws.vector(outputs, 0.5, 2),
    };
    const expected = foldBatchNorm(layer);
    const views = {
      weight: trial.input(layer.weight),
      bias: trial.input(layer.bias),
      gamma: trial.input(layer.gamma),
      beta: trial.input(layer.beta),
      runningMean: trial.input(layer.mean),
      runningVar: trial.input(layer.variance),
      foldedWeight: trial.output('folded weight', expected.weight, absolute(expected.weight)),
      foldedBias: trial.output('folded bias', expected.bias, expected.biasScale),
    };
    kernels.batchNormFold(trial.plan, views, { inputs, outputs });
  });
}
