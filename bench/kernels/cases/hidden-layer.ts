import type { Gpu } from '../../../src/gpu/device.ts';
import * as kernels from '../../../src/kernels/hidden-layer.ts';
import { runsOnSubgroups } from '../../../src/kernels/launch.ts';
import type { LinearSize } from '../../../src/kernels/linear.ts';
import { STREAM } from '../../../src/random.ts';
import * as batchNorm from '../../../test/reference/batch-norm.ts';
import { absolute, fromIndex, relu } from '../../../test/reference/elementwise.ts';
import * as linear from '../../../test/reference/linear.ts';
import { dropout } from '../../../test/reference/random.ts';
import { type Case, hiddenLayers, type Sizes, single, times } from '../case.ts';
import { batchMoments } from '../reference.ts';
import type { Trial } from '../trial.ts';
import { CHECKED_ROWS } from './linear.ts';

const DROPOUT = { p: 0.2, seed: 42, stream: STREAM.dropout, step: 3 };
const SCALE = 1 / (1 - DROPOUT.p);

/** Hidden layers with BatchNorm, ReLU and dropout as small batches have them on a CPU adapter, in one dispatch. */
export function hiddenLayerCases(gpu: Gpu, sizes: Sizes): Case[] {
  const layers = hiddenLayers(sizes);
  const last = layers.at(-1)!;
  if (sizes.rows > CHECKED_ROWS) return [];
  if (!runsOnSubgroups(gpu)) return [lastCase(last)];
  const between = layers.slice(1).map((behind) => betweenCase(behind));
  return [...layers.map(forwardCase), lastCase(last), ...between];
}

function forwardCase(size: LinearSize): Case {
  const { rows, inputs, outputs } = size;
  const n = rows * outputs;
  const bytes = 4 * (rows * inputs + outputs * inputs + 3 * n + 9 * outputs);
  const work = { bytes, flops: 2 * rows * inputs * outputs + 8 * n };
  const shape = `${times(rows)} × ${inputs} → ${outputs}`;
  return single('linear_batch_norm_subgroup', shape, work, (trial) => {
    const { draws } = trial;
    const [x, weight, bias] = [draws.vector(rows * inputs), draws.vector(outputs * inputs), draws.vector(outputs)];
    const [gamma, beta] = [draws.vector(outputs, 0.5, 2), draws.vector(outputs)];
    const [mean, variance] = [draws.vector(outputs), draws.vector(outputs, 0.5, 2)];
    const normSize = { rows, features: outputs };
    const z = linear.linear(x, weight, bias, size);
    const magnitudes = linear.linear(absolute(x), absolute(weight), absolute(bias), size);
    // The largest magnitude that went into a column, and the same in standard deviations.
    const largest = Float64Array.from({ length: outputs }, (_, column) => {
      return magnitudes.reduce((most, value, i) => (i % outputs === column ? Math.max(most, value) : most), 0);
    });
    const pairs = batchMoments(z, normSize);
    const deviations = largest.map((value, column) => value * pairs[2 * column + 1]!);
    const pairScale = pairs.map((value, i) => (i % 2 ? value * deviations[(i - 1) / 2]! : largest[i / 2]!));
    const running = batchNorm.runningAverages(z, mean, variance, normSize);
    const y = dropout(relu(batchNorm.batchNorm(z, gamma, beta, normSize)), DROPOUT);
    const yScale = y.map((_, i) => gamma[i % outputs]! * deviations[i % outputs]! + Math.abs(beta[i % outputs]!));
    const views = {
      x: trial.input(x),
      weight: trial.input(weight),
      bias: trial.input(bias),
      gamma: trial.input(gamma),
      beta: trial.input(beta),
      runningMean: trial.inPlace('running mean', mean, running.mean, largest),
      runningVar: trial.inPlace(
        'running variance',
        variance,
        running.variance,
        largest.map((value) => value ** 2),
      ),
      moments: trial.output('moments', pairs, pairScale),
      z: trial.output('z', z, magnitudes),
      y: trial.output('y', y, yScale),
    };
    const key = { ...DROPOUT, step: trial.input(Uint32Array.of(DROPOUT.step)) };
    kernels.linearBatchNorm(trial.plan, views, size, key);
  });
}

function lastCase({ rows, outputs: features }: LinearSize): Case {
  const n = rows * features;
  const work = { bytes: 4 * (4 * n + 5 * features), flops: 16 * n };
  return single('batch_norm_backward_columns', times(rows, features), work, (trial) => {
    const dy = trial.draws.vector(n);
    const { views } = layerOf(trial, rows, features, dy, absolute(dy));
    kernels.hiddenBackward(trial.plan, { ...views, dy: trial.input(dy) }, { rows, features }, SCALE);
  });
}

/** @param behind the layer behind, whose inputs are the layer's features */
function betweenCase(behind: LinearSize): Case {
  const { rows, inputs: features, outputs } = behind;
  const n = rows * features;
  const bytes = 4 * (rows * outputs + 2 * outputs * features + 3 * n + 5 * features);
  const work = { bytes, flops: 4 * rows * features * outputs + 16 * n };
  const shape = `${times(rows, features)}, ${outputs} behind`;
  return single('hidden_backward_subgroup', shape, work, (trial) => {
    const [dz, weight] = [trial.draws.vector(rows * outputs), trial.draws.vector(outputs * features)];
    const dy = linear.linearInputGrad(dz, weight, behind);
    const magnitudes = linear.linearInputGrad(absolute(dz), absolute(weight), behind);
    const { y, views } = layerOf(trial, rows, features, dy, magnitudes);
    const expected = linear.linearWeightGrad(y, dz, behind);
    const scale = linear.linearWeightGrad(y, absolute(dz), behind);
    const of = {
      dz: trial.input(dz),
      weight: trial.input(weight),
      dweight: trial.output('dweight', expected.dweight, scale.dweight),
      dbias: trial.output('dbias', new Float64Array(outputs)),
    };
    kernels.hiddenBackwardBetween(trial.plan, views, { rows, features }, { ...of, outputs }, SCALE);
  });
}

/**
 * A layer after its forward pass, its output y, and the gradients that are expected of it.
 * @param magnitudes of dy: what went into its elements
 */
function layerOf(
  trial: Trial,
  rows: number,
  features: number,
  dy: Float32Array | Float64Array,
  magnitudes: Float32Array | Float64Array,
) {
  const size = { rows, features };
  const n = rows * features;
  const { draws } = trial;
  const [z, gamma] = [draws.vector(n, -2, 3), draws.vector(features, 0.5, 2)];
  const y = Float32Array.from(dropout(relu(batchNorm.batchNorm(z, gamma, draws.vector(features), size)), DROPOUT));
  const reaching = fromIndex(n, (i) => (y[i]! > 0 ? SCALE * dy[i]! : 0));
  const expected = batchNorm.batchNormBackward(z, gamma, reaching, size);
  const moments = Float32Array.from(batchMoments(z, size));
  const largest = Math.max(...magnitudes);
  // Normalised values are of the size of 1 to 2.
  const sums = fromIndex(features, () => rows * largest);
  const terms = fromIndex(n, (i) => gamma[i % features]! * moments[2 * (i % features) + 1]! * largest);
  const views = {
    z: trial.input(z),
    y: trial.input(y),
    moments: trial.input(moments),
    gamma: trial.input(gamma),
    dgamma: trial.output('dgamma', expected.dgamma, sums),
    dbeta: trial.output('dbeta', expected.dbeta, sums),
    dz: trial.output('dz', expected.dx, terms),
  };
  return { y, views };
}
