import { describe, expect, it } from 'vitest';
import * as kernels from '../../src/kernels/batch-norm.ts';
import { linear as linearKernel } from '../../src/kernels/linear.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import * as reference from '../reference/batch-norm.ts';
import { absolute, relu } from '../reference/elementwise.ts';
import { linear } from '../reference/linear.ts';
import { dropout, kept } from '../reference/random.ts';

const on = useGpu();

type Floats = Float32Array<ArrayBuffer>;

/** Statistics and running averages of x, on the device. */
async function normalise(
  x: Floats,
  size: kernels.BatchNormSize,
  runningMean: Floats,
  runningVar: Floats,
  threads?: number,
) {
  const trial = new Trial(on.gpu);
  const statistics = trial.f32('statistics', 2 * kernels.statisticsLength(size));
  const moments = trial.f32('moments', 2 * size.features);
  const [mean, variance] = [trial.inPlace('running mean', runningMean), trial.inPlace('running var', runningVar)];
  kernels.batchNormStats(trial.plan, trial.input(x), statistics.view, size);
  const views = { statistics: statistics.view, moments: moments.view };
  kernels.batchNormFinish(trial.plan, { ...views, runningMean: mean.view, runningVar: variance.view }, size, threads);
  trial.plan.run();
  await statistics.data();
  const pairs = await moments.data();
  return {
    mean: pairs.filter((_, i) => i % 2 === 0),
    inverseStd: pairs.filter((_, i) => i % 2 === 1),
    runningMean: await mean.data(),
    runningVar: await variance.data(),
  };
}

/** (mean, 1 / √(variance + eps)) of each feature, as batch_norm_finish leaves them. */
function momentPairs(x: Floats, size: kernels.BatchNormSize): Floats {
  const { mean, squares } = reference.moments(x, size);
  const pairs = [...mean].flatMap((value, n) => [value, 1 / Math.sqrt(squares[n]! / size.rows + reference.EPS)]);
  return Float32Array.from(pairs);
}

/** Threads of the finishing kernels' workgroups: those of CPU adapters, and those of GPUs. */
const THREADS = Object.values(kernels.FINISH_THREADS);

/** [rows, features] */
const SIZES = [
  [2, 1],
  [3, 5],
  [7, 8],
  [8, 3],
  [9, 33],
  [33, 4],
  [257, 7],
  [1000, 65],
] as const;

describe.each(SIZES)('over %i rows of %i features', (rows, features) => {
  const size = { rows, features };
  const n = rows * features;
  const draws = new Draws(n);
  const [x, dy] = [draws.normal(n, 0.5, 2), draws.normal(n)];
  const [gamma, beta] = [draws.vector(features, 0.5, 2), draws.normal(features)];
  const pairs = momentPairs(x, size);

  it.each(THREADS)(
    'mean, variance and running averages are those of torch.nn.BatchNorm1d, by %i threads',
    async (WG) => {
      const [oldMean, oldVar] = [draws.normal(features), draws.vector(features, 0.5, 2)];
      const actual = await normalise(x, size, oldMean, oldVar, WG);
      const expected = reference.moments(x, size);
      const running = reference.runningAverages(x, oldMean, oldVar, size);
      const ones = new Float64Array(features).fill(1);
      expectClose(actual.mean, expected.mean, { scale: ones });
      expectClose(
        actual.inverseStd,
        expected.squares.map((value) => 1 / Math.sqrt(value / rows + reference.EPS)),
      );
      expectClose(actual.runningMean, running.mean, { scale: ones });
      expectClose(actual.runningVar, running.variance);
    },
  );

  it('the normalised values are scaled and shifted, rectified, and dropped by the same mask as dropout has', async () => {
    const counter = { p: 0.3, seed: 7, stream: 0x30002, step: 5 };
    const trial = new Trial(on.gpu);
    const [plain, relued, dropped] = [trial.f32('y', n), trial.f32('relu', n), trial.f32('dropout', n)];
    const views = {
      x: trial.input(x),
      moments: trial.input(pairs),
      gamma: trial.input(gamma),
      beta: trial.input(beta),
    };
    const key = { ...counter, step: trial.input(Uint32Array.of(counter.step)) };
    kernels.batchNormApply(trial.plan, { ...views, y: plain.view }, size);
    kernels.batchNormApply(trial.plan, { ...views, y: relued.view }, size, { relu: true });
    kernels.batchNormApply(trial.plan, { ...views, y: dropped.view }, size, { relu: true, dropout: key });
    trial.plan.run();
    const expected = reference.batchNorm(x, gamma, beta, size);
    const scale = expected.map((_, i) => 4 * gamma[i % features]! + Math.abs(beta[i % features]!));
    expectClose(await plain.data(), expected, { scale });
    expectClose(await relued.data(), relu(expected), { scale });
    expectClose(await dropped.data(), dropout(relu(expected), counter), { scale });
  });

  it.each(THREADS)('backward gives the gradients of gamma, beta and the input, by %i threads', async (WG) => {
    await expectBackward(dy, false, 1, x, WG);
  });

  it('backward starts behind ReLU and dropout where those stood behind the normalisation', async () => {
    const counter = { p: 0.25, seed: 3, stream: 1, step: 0 };
    const y = dropout(relu(reference.batchNorm(x, gamma, beta, size)), counter);
    const open = dy.map((value, i) => (y[i]! > 0 && kept(i, counter) ? value / (1 - counter.p) : 0));
    await expectBackward(open, true, 1 / (1 - counter.p), Float32Array.from(y));
  });

  /** @param reaching what reaches the normalised values, for the reference */
  async function expectBackward(reaching: Floats, masked: boolean, scale: number, y = x, WG?: number): Promise<void> {
    const trial = new Trial(on.gpu);
    const [dgamma, dbeta] = [trial.f32('dgamma', features), trial.f32('dbeta', features)];
    const [dx, sums] = [trial.f32('dx', n), trial.f32('sums', 2 * kernels.sumsLength(size))];
    const inputs = { x: trial.input(x), moments: trial.input(pairs), gamma: trial.input(gamma) };
    kernels.batchNormBackward(
      trial.plan,
      {
        ...inputs,
        y: trial.input(y),
        dy: trial.input(dy),
        sums: sums.view,
        dgamma: dgamma.view,
        dbeta: dbeta.view,
        dx: dx.view,
      },
      size,
      { relu: masked, scale, ...(WG && { WG }) },
    );
    trial.plan.run();
    await sums.data();
    const expected = reference.batchNormBackward(x, gamma, reaching, size);
    const total = new Float64Array(features);
    reaching.forEach((value, i) => {
      total[i % features]! +=
        Math.abs(value) * (1 + Math.abs(x[i]! - pairs[2 * (i % features)]!) * pairs[2 * (i % features) + 1]!);
    });
    // With few rows dx is a small difference of large terms: its error is one of those terms.
    const terms = expected.dx.map(
      (_, i) =>
        gamma[i % features]! *
        pairs[2 * (i % features) + 1]! *
        (Math.abs(reaching[i]!) + (4 * total[i % features]!) / rows),
    );
    expectClose(await dgamma.data(), expected.dgamma, { scale: total });
    expectClose(await dbeta.data(), expected.dbeta, { scale: total });
    expectClose(await dx.data(), expected.dx, { scale: terms });
  }
});

describe('numbers that are hard to normalise', () => {
  it('a mean of 1000 with a standard deviation of 0.01 keeps its variance', async () => {
    const size = { rows: 4099, features: 5 };
    const x = new Draws(9).normal(size.rows * size.features, 1000, 0.01);
    const actual = await normalise(x, size, new Float32Array(5), new Float32Array(5));
    const expected = reference.moments(x, size);
    const variance = expected.squares.map((value) => value / size.rows);
    expectClose(actual.mean, expected.mean, { relative: 3e-7 });
    expectClose(
      actual.inverseStd.map((s) => 1 / s ** 2 - reference.EPS),
      variance,
      { relative: 1e-3 },
    );
    const { variance: running } = reference.runningAverages(x, new Float32Array(5), new Float32Array(5), size);
    expectClose(actual.runningVar, running, { relative: 1e-3 });
  });

  it('a constant feature becomes beta', async () => {
    const size = { rows: 20, features: 1 };
    const x = new Float32Array(20).fill(3.25);
    const { mean, inverseStd } = await normalise(x, size, new Float32Array(1), new Float32Array(1));
    expect(mean[0]).toBe(3.25);
    expectClose(inverseStd, [1 / Math.sqrt(reference.EPS)]);
  });
});

it('folding the running averages into the linear layer before it gives the same layer in one dispatch', async () => {
  const size = { rows: 9, inputs: 13, outputs: 7 };
  const draws = new Draws(11);
  const [x, weight, bias] = [draws.normal(9 * 13), draws.normal(7 * 13), draws.normal(7)];
  const [gamma, beta] = [draws.vector(7, 0.5, 2), draws.normal(7)];
  const [runningMean, runningVar] = [draws.normal(7), draws.vector(7, 0.1, 3)];
  const trial = new Trial(on.gpu);
  const [foldedWeight, foldedBias, y] = [trial.f32('weight', 7 * 13), trial.f32('bias', 7), trial.f32('y', 9 * 7)];
  kernels.batchNormFold(
    trial.plan,
    {
      weight: trial.input(weight),
      bias: trial.input(bias),
      gamma: trial.input(gamma),
      beta: trial.input(beta),
      runningMean: trial.input(runningMean),
      runningVar: trial.input(runningVar),
      foldedWeight: foldedWeight.view,
      foldedBias: foldedBias.view,
    },
    size,
  );
  linearKernel(trial.plan, { x: trial.input(x), weight: foldedWeight.view, bias: foldedBias.view, y: y.view }, size);
  trial.plan.run();
  const normalised = (values: ArrayLike<number>, center: Floats) =>
    Float64Array.from(
      values,
      (value, i) => ((value - center[i % 7]!) * gamma[i % 7]!) / Math.sqrt(runningVar[i % 7]! + reference.EPS),
    );
  const expected = normalised(linear(x, weight, bias, size), runningMean).map((value, i) => value + beta[i % 7]!);
  const magnitudes = normalised(linear(absolute(x), absolute(weight), absolute(bias), size), new Float32Array(7));
  expectClose(await y.data(), expected, { scale: magnitudes.map((value, i) => value + Math.abs(beta[i % 7]!) + 3) });
  expectClose(
    await foldedWeight.data(),
    normalised(weight, new Float32Array(7)).map(
      (_, i) => (weight[i]! * gamma[Math.floor(i / 13)]!) / Math.sqrt(runningVar[Math.floor(i / 13)]! + reference.EPS),
    ),
  );
});
