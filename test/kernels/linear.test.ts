import { describe, expect, it } from 'vitest';
import { reluBackward } from '../../src/kernels/elementwise.ts';
import { runsOnSubgroups } from '../../src/kernels/launch.ts';
import * as kernels from '../../src/kernels/linear.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import { moments } from '../reference/batch-norm.ts';
import { absolute, relu } from '../reference/elementwise.ts';
import * as reference from '../reference/linear.ts';

const on = useGpu();

/** [rows, inputs, outputs] */
const SIZES = [
  [1, 1, 1],
  [1, 7, 3],
  [3, 5, 4],
  [7, 8, 9],
  [8, 16, 8],
  [9, 33, 5],
  [33, 12, 65],
  [16, 32, 16],
  [18, 36, 20],
  [65, 128, 64],
  [67, 4, 68],
  [130, 72, 132],
  [257, 31, 1],
  [257, 3, 33],
] as const;

describe.each(SIZES)('the variants of %i rows, %i inputs, %i outputs', (rows, inputs, outputs) => {
  const size = { rows, inputs, outputs };
  const draws = new Draws(rows * inputs * outputs);
  const [x, dy] = [draws.normal(rows * inputs), draws.normal(rows * outputs)];
  const [weight, bias] = [draws.normal(outputs * inputs), draws.normal(outputs)];

  /** All that the three products write. */
  async function results(variant: kernels.ProductVariant): Promise<number[][]> {
    const trial = new Trial(on.gpu);
    const [given, gradient, weights] = [trial.input(x), trial.input(dy), trial.input(weight)];
    const y = trial.f32('y', rows * outputs);
    const statistics = trial.f32('statistics', 2 * Math.ceil(rows / 8) * outputs);
    const dx = trial.f32('dx', rows * inputs);
    const [dweight, dbias] = [trial.f32('dweight', outputs * inputs), trial.f32('dbias', outputs)];
    const forward = { x: given, weight: weights, bias: trial.input(bias), y: y.view };
    kernels.linear(trial.plan, forward, size, { relu: true, statistics: statistics.view, variant });
    kernels.linearInputGrad(trial.plan, { dy: gradient, weight: weights, dx: dx.view }, size, { variant });
    const backward = { x: given, dy: gradient, dweight: dweight.view, dbias: dbias.view };
    kernels.linearWeightGrad(trial.plan, backward, size, { variant });
    trial.plan.run();
    const outputsOf = [y, statistics, dx, dweight, dbias];
    return Promise.all(outputsOf.map(async (output) => [...(await output.data())]));
  }

  it('give the same bits', async ({ skip }) => {
    skip(
      on.gpu.adapterKind === 'hardware',
      'a GPU may fuse multiplication and addition in one variant and not in another',
    );
    const blocks = await results('blocks');
    for (const variant of kernels.productVariants(on.gpu, size)) expect(await results(variant)).toEqual(blocks);
  });
});

describe.each(SIZES)('a rectifier’s gradient on load, %i rows, %i inputs, %i outputs', (rows, inputs, outputs) => {
  const size = { rows, inputs, outputs };
  const draws = new Draws(rows + inputs * outputs);
  const [x, dy, weight] = [draws.normal(rows * inputs), draws.normal(rows * outputs), draws.normal(outputs * inputs)];
  const y = relu(draws.normal(rows * outputs)); // half of it zeros

  async function gradients(variant: kernels.ProductVariant, onLoad: boolean): Promise<number[][]> {
    const trial = new Trial(on.gpu);
    const [given, rectified, weights] = [trial.input(x), trial.input(Float32Array.from(y)), trial.input(weight)];
    const dx = trial.f32('dx', rows * inputs);
    const [dweight, dbias] = [trial.f32('dweight', outputs * inputs), trial.f32('dbias', outputs)];
    const options = onLoad ? { relu: rectified, variant } : { variant };
    let gradient: GPUBufferBinding = trial.input(dy);
    if (!onLoad) {
      const dz = trial.f32('dz', rows * outputs).view;
      reluBackward(trial.plan, rectified, gradient, dz, rows * outputs);
      gradient = dz;
    }
    kernels.linearInputGrad(trial.plan, { dy: gradient, weight: weights, dx: dx.view }, size, options);
    const views = { x: given, dy: gradient, dweight: dweight.view, dbias: dbias.view };
    kernels.linearWeightGrad(trial.plan, views, size, options);
    trial.plan.run();
    return Promise.all([dx, dweight, dbias].map(async (output) => [...(await output.data())]));
  }

  it('gives the bits of relu_backward and the products', async () => {
    for (const variant of kernels.productVariants(on.gpu, size)) {
      expect(await gradients(variant, true), variant).toEqual(await gradients(variant, false));
    }
  });
});

/** Gradients of a layer by both products in one dispatch, or one after the other. */
function gradientsOf([rows, inputs, outputs]: (typeof SIZES)[number]) {
  const size = { rows, inputs, outputs };
  const draws = new Draws(rows + inputs + outputs);
  const [x, dy, weight] = [draws.normal(rows * inputs), draws.normal(rows * outputs), draws.normal(outputs * inputs)];
  const y = Float32Array.from(relu(draws.normal(rows * outputs)));

  return async (inOne: boolean, rectified: boolean, noBias: boolean): Promise<number[][]> => {
    const trial = new Trial(on.gpu);
    const dx = trial.f32('dx', rows * inputs);
    const [dweight, dbias] = [trial.f32('dweight', outputs * inputs), trial.f32('dbias', outputs)];
    const given = { x: trial.input(x), dy: trial.input(dy), weight: trial.input(weight) };
    const into = { dx: dx.view, dweight: dweight.view, dbias: dbias.view };
    const relued = rectified ? { relu: trial.input(y) } : {};
    if (inOne) {
      kernels.linearBackward(trial.plan, { ...given, ...into }, size, { ...relued, noBias });
    } else {
      kernels.linearInputGrad(trial.plan, { ...given, ...into }, size, { ...relued, variant: 'blocks' });
      kernels.linearWeightGrad(trial.plan, { ...given, ...into }, size, { ...relued, noBias, variant: 'blocks' });
    }
    trial.plan.run();
    return Promise.all([dx, dweight, dbias].map(async (output) => [...(await output.data())]));
  };
}

it('both products of backward in one dispatch have the bits of two', async ({ skip }) => {
  skip(!runsOnSubgroups(on.gpu), 'this adapter has no subgroups of eight lanes');
  for (const size of SIZES) {
    const [rows, inputs, outputs] = size;
    if (!kernels.productVariants(on.gpu, { rows, inputs, outputs }).includes('subgroup')) continue;
    const gradients = gradientsOf(size);
    for (const [relued, noBias] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const) {
      const expected = await gradients(false, relued, noBias);
      expect(await gradients(true, relued, noBias), `${size}, ${relued}, ${noBias}`).toEqual(expected);
    }
  }
});

describe.each(SIZES)('%i rows, %i inputs, %i outputs', (rows, inputs, outputs) => {
  const size = { rows, inputs, outputs };
  const draws = new Draws(rows * inputs * outputs);
  const x = draws.normal(rows * inputs);
  const weight = draws.normal(outputs * inputs);
  const bias = draws.normal(outputs);
  const dy = draws.normal(rows * outputs);
  const expected = reference.linear(x, weight, bias, size);
  const magnitudes = reference.linear(absolute(x), absolute(weight), absolute(bias), size);

  it.each([false, true])('forward, relu %s', async (relued) => {
    for (const variant of kernels.productVariants(on.gpu, size)) {
      const trial = new Trial(on.gpu);
      const y = trial.f32('y', rows * outputs);
      const views = { x: trial.input(x), weight: trial.input(weight), bias: trial.input(bias), y: y.view };
      kernels.linear(trial.plan, views, size, { relu: relued, variant });
      trial.plan.run();
      expectClose(await y.data(), relued ? relu(expected) : expected, { scale: magnitudes });
    }
  });

  it('forward with the mean and squared deviations of every eight rows', async () => {
    for (const variant of kernels.productVariants(on.gpu, size)) {
      const trial = new Trial(on.gpu);
      const blocks = Math.ceil(rows / 8);
      const [y, statistics] = [trial.f32('y', rows * outputs), trial.f32('statistics', 2 * blocks * outputs)];
      const views = { x: trial.input(x), weight: trial.input(weight), bias: trial.input(bias), y: y.view };
      kernels.linear(trial.plan, views, size, { statistics: statistics.view, variant });
      trial.plan.run();
      const actual = await y.data();
      expectClose(actual, expected, { scale: magnitudes });
      const pairs = await statistics.data();
      for (let block = 0; block < blocks; block++) {
        const own = actual.slice(block * 8 * outputs, (block + 1) * 8 * outputs);
        const { mean, squares } = moments(own, { rows: own.length / outputs, features: outputs });
        const at = (which: number) => mean.map((_, n) => pairs[2 * (block * outputs + n) + which]!);
        const largest = Math.max(...absolute(own));
        expectClose(at(0), mean, { scale: mean.map(() => largest) });
        expectClose(at(1), squares, { scale: squares.map((value) => value + 1e-6 * largest ** 2), relative: 3e-6 });
      }
    }
  });

  it('gradients of input, weight and bias', async () => {
    for (const variant of kernels.productVariants(on.gpu, size)) {
      const trial = new Trial(on.gpu);
      const dx = trial.f32('dx', rows * inputs);
      const [dweight, dbias] = [trial.f32('dweight', outputs * inputs), trial.f32('dbias', outputs)];
      const [vx, vdy] = [trial.input(x), trial.input(dy)];
      kernels.linearInputGrad(trial.plan, { dy: vdy, weight: trial.input(weight), dx: dx.view }, size, { variant });
      const views = { x: vx, dy: vdy, dweight: dweight.view, dbias: dbias.view };
      kernels.linearWeightGrad(trial.plan, views, size, { ...partsScratch(trial, size), variant });
      trial.plan.run();
      const scale = reference.linearInputGrad(absolute(dy), absolute(weight), size);
      expectClose(await dx.data(), reference.linearInputGrad(dy, weight, size), { scale });
      await expectWeightGrad(dweight, dbias, x, dy, size);
    }
  });
});

type Output = ReturnType<Trial['f32']>;

/** Room for the parts, where the adapter's kind divides this many rows at all. */
function partsScratch(trial: Trial, { rows, inputs, outputs }: kernels.LinearSize) {
  const { parts } = kernels.weightGradParts(trial.plan, rows);
  if (parts === 1) return {};
  const weight = trial.f32('parts', parts * outputs * inputs).view;
  return { scratch: { weight, bias: trial.f32('bias parts', parts * outputs).view } };
}

async function expectWeightGrad(
  dweight: Output,
  dbias: Output,
  x: Float32Array,
  dy: Float32Array,
  size: kernels.LinearSize,
): Promise<void> {
  const expected = reference.linearWeightGrad(x, dy, size);
  const scale = reference.linearWeightGrad(absolute(x), absolute(dy), size);
  expectClose(await dweight.data(), expected.dweight, { scale: scale.dweight });
  expectClose(await dbias.data(), expected.dbias, { scale: scale.dbias });
}

describe('the weight gradient', () => {
  it('of a large batch is summed in parts, then together', async () => {
    const size = { rows: 2 * 2048 + 37, inputs: 8, outputs: 12 };
    const draws = new Draws(5);
    const [x, dy] = [draws.normal(size.rows * size.inputs), draws.normal(size.rows * size.outputs)];
    for (const variant of kernels.productVariants(on.gpu, size)) {
      const trial = new Trial(on.gpu);
      expect(kernels.weightGradParts(trial.plan, size.rows).parts).toBeGreaterThan(2);
      const [dweight, dbias] = [trial.f32('dweight', size.outputs * size.inputs), trial.f32('dbias', size.outputs)];
      const views = { x: trial.input(x), dy: trial.input(dy), dweight: dweight.view, dbias: dbias.view };
      kernels.linearWeightGrad(trial.plan, views, size, { ...partsScratch(trial, size), variant });
      trial.plan.run();
      await expectWeightGrad(dweight, dbias, x, dy, size);
    }
  });

  it('covers every row exactly once, whatever the number of rows', () => {
    const { plan } = new Trial(on.gpu);
    for (let rows = 1; rows < 40_000; rows += 61) {
      const { parts, span } = kernels.weightGradParts(plan, rows);
      expect(parts * span).toBeGreaterThanOrEqual(rows);
      expect((parts - 1) * span).toBeLessThan(rows);
    }
  });

  it('of a bias in front of a BatchNorm is exactly 0', async () => {
    const size = { rows: 9, inputs: 4, outputs: 8 };
    const draws = new Draws(6);
    for (const variant of kernels.productVariants(on.gpu, size)) {
      const trial = new Trial(on.gpu);
      const [dweight, dbias] = [trial.f32('dweight', 32), trial.f32('dbias', 8)];
      const [x, dy] = [trial.input(draws.normal(36)), trial.input(draws.normal(72))];
      const views = { x, dy, dweight: dweight.view, dbias: dbias.view };
      kernels.linearWeightGrad(trial.plan, views, size, { noBias: true, variant });
      trial.plan.run();
      await dweight.data();
      expect([...(await dbias.data())]).toEqual(Array(8).fill(0));
    }
  });
});

describe('a batch of no rows', () => {
  const size = { rows: 0, inputs: 6, outputs: 11 };

  it('dispatches nothing forward', () => {
    const trial = new Trial(on.gpu);
    const view = trial.input([1]);
    kernels.linear(trial.plan, { x: view, weight: view, bias: view, y: view }, size);
    kernels.linearInputGrad(trial.plan, { dy: view, weight: view, dx: view }, size);
    expect(trial.plan.dispatches).toEqual([]);
  });

  it('has a weight gradient of zeros', async () => {
    const trial = new Trial(on.gpu);
    const [dweight, dbias] = [trial.f32('dweight', 66), trial.f32('dbias', 11)];
    const view = trial.input([1]);
    kernels.linearWeightGrad(trial.plan, { x: view, dy: view, dweight: dweight.view, dbias: dbias.view }, size);
    trial.plan.run();
    expect([...(await dweight.data()), ...(await dbias.data())]).toEqual(Array(77).fill(0));
  });
});

it('a layer without inputs gives its bias', async () => {
  const trial = new Trial(on.gpu);
  const y = trial.f32('y', 6);
  const views = { x: trial.input([]), weight: trial.input([]), bias: trial.input([1, 2, 3]), y: y.view };
  kernels.linear(trial.plan, views, { rows: 2, inputs: 0, outputs: 3 });
  trial.plan.run();
  expect([...(await y.data())]).toEqual([1, 2, 3, 1, 2, 3]);
});
