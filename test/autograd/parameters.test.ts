import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/autograd/clock.ts';
import { hadamard } from '../../src/autograd/ops/hadamard.ts';
import { linear } from '../../src/autograd/ops/linear.ts';
import { Parameters } from '../../src/autograd/parameters.ts';
import { record, tensor } from '../../src/autograd/tape.ts';
import { ConfigError } from '../../src/errors.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { Adam } from '../../src/optim/adam.ts';
import { clipGradNorm } from '../../src/optim/clip.ts';
import { Sgd } from '../../src/optim/sgd.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import * as reference from '../reference/optimizers.ts';

const on = useGpu();

const SPECS = [
  { name: 'table', shape: [7, 5] },
  { name: 'bias', shape: [3] },
  { name: 'mean', shape: [3], buffer: true },
];

/** Parameters with random weights, and a loss whose gradients are the numbers r. */
function setUp() {
  const draws = new Draws(1);
  const parameters = new Parameters(on.gpu, SPECS);
  const [table, bias] = [draws.normal(35), draws.normal(3)];
  parameters.get('table').write(table);
  parameters.get('bias').write(bias);
  const r = { table: draws.normal(35), bias: draws.normal(3) };
  const slopes = { table: tensor(on.gpu, r.table, { shape: [7, 5] }), bias: tensor(on.gpu, r.bias) };
  const backward = () => {
    parameters.zeroGrad();
    hadamard(parameters.get('table'), slopes.table).sum().backward();
    hadamard(parameters.get('bias'), slopes.bias).sum().backward();
  };
  const weights = Float64Array.of(...table, ...bias);
  const gradient = Float64Array.of(...r.table, ...r.bias);
  const current = async () => [...(await parameters.get('table').data()), ...(await parameters.get('bias').data())];
  return { parameters, backward, weights, gradient, current };
}

describe('a model’s parameters', () => {
  it('are views of one arena each for weights and gradients, with padding that stays zero', async () => {
    const { parameters, backward, weights, gradient, current } = setUp();
    backward();
    const sgd = new Sgd(parameters, { lr: 0.1, weightDecay: 0.5 });
    sgd.step();
    reference.sgd(weights, gradient, 0.1, 0.5);
    expectClose(await current(), weights, { scale: weights.map((w) => Math.abs(w) + 1) });
    const all = { from: 0, to: parameters.length };
    for (const arena of [parameters.weights, parameters.gradients]) {
      const values = new Float32Array(await on.gpu.read(arena.view(all)));
      expect(values).toHaveLength(128);
      expect(values.slice(35, 64).every((value) => value === 0)).toBe(true);
      expect(values.slice(67).every((value) => value === 0)).toBe(true);
    }
    const gradients = new Float32Array(await on.gpu.read(parameters.gradients.view(all)));
    expect([...gradients.slice(0, 35), ...gradients.slice(64, 67)]).toEqual([...gradient]);
  });

  it('are counted without running averages, which are not trained', () => {
    const { parameters } = setUp();
    expect(parameters.count).toBe(38);
    expect(parameters.entries().map(([name, { requiresGrad }]) => [name, requiresGrad])).toEqual([
      ['table', true],
      ['bias', true],
      ['mean', false],
    ]);
  });

  it('that no binding can hold are refused with their size', () => {
    const rows = Math.floor(on.gpu.bindingLimit / 4);
    const tooLarge = () => new Parameters(on.gpu, [{ name: 'weight', shape: [rows, 2] }]);
    expect(tooLarge).toThrow(ConfigError);
    expect(tooLarge).toThrow(new RegExp(`weight \\[${rows} × 2\\] needs .*\\(${8 * rows} bytes\\).* in one binding`));
  });

  it('that are tables are split instead: read and written as one, and refused where one view is wanted', async () => {
    const gpu = await Gpu.borrow(on.gpu.device, { bindingLimit: 2048 });
    const parameters = new Parameters(gpu, [
      { name: 'user_emb', shape: [150, 5], table: true },
      { name: 'bias', shape: [3] },
    ]);
    const table = parameters.get('user_emb');
    expect(table.shards.map(({ first, rows }) => [first, rows])).toEqual([
      [0, 64],
      [64, 86],
    ]);
    const values = new Draws(4).normal(150 * 5);
    table.write(values);
    expect(await table.data()).toEqual(values);
    expect([...(await parameters.get('bias').data())]).toEqual([0, 0, 0]);
    expect(() => linear(table, tensor(gpu, [[1, 2, 3, 4, 5]]), tensor(gpu, [0]))).toThrow(
      new ConfigError(
        `user_emb [150 × 5] is split over 2 buffers, since a binding holds 2.0 KiB on ${gpu.adapterName}, and this needs it in one`,
      ),
    );
    gpu.close();
  });

  it('keep no gradients of tables that an optimizer has no use for', () => {
    const parameters = new Parameters(on.gpu, [{ name: 'table', shape: [70, 4], table: true }, ...SPECS.slice(1)]);
    parameters.leaveOutTableGradients();
    expect(parameters.gradients.size).toBe(256);
  });
});

describe('optimizers on an arena', () => {
  it('Adam with weight decay and clipped gradients follows PyTorch through a recorded step', async () => {
    const { parameters, backward, weights, gradient, current } = setUp();
    const clock = new Clock(on.gpu);
    const adam = new Adam(parameters, clock, { lr: 0.01, weightDecay: 0.1 });
    const loss = tensor(on.gpu, [0]);
    let clip!: ReturnType<typeof clipGradNorm>;
    const plan = record(on.gpu, 'step', () => {
      backward();
      clip = clipGradNorm(parameters, 1);
      adam.step(clip);
      clock.advance(loss);
    });
    const options = { lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.1 };
    const state = { weight: weights, m: new Float64Array(38), v: new Float64Array(38) };
    const norm = reference.norm(gradient);
    const clipped = gradient.map((value) => value * reference.clipFactor(norm, 1));
    const train = (steps: number, lr: number, from: number) => {
      plan.run(steps);
      for (let t = from + 1; t <= from + steps; t++) reference.adam(state, clipped, t, { ...options, lr });
    };
    train(5, 0.01, 0);
    adam.setLearningRate(0.002);
    train(5, 0.002, 5);
    expectClose(await current(), weights, { scale: weights.map((w) => Math.abs(w) + 0.1) });
    expectClose(await clip.data(), [norm, reference.clipFactor(norm, 1)]);
    expect([...(await clock.step.data())]).toEqual([10]);
  });

  it('gradient descent takes another rate from the next submit on', async () => {
    const { parameters, backward, weights, gradient, current } = setUp();
    const sgd = new Sgd(parameters, { lr: 0.1 });
    backward();
    sgd.step();
    sgd.setLearningRate(0.01);
    sgd.step();
    reference.sgd(weights, gradient, 0.1, 0);
    reference.sgd(weights, gradient, 0.01, 0);
    expectClose(await current(), weights, { scale: weights.map((w) => Math.abs(w) + 1) });
  });

  it('momentum needs a buffer and keeps it under a new rate; without momentum there is none', async () => {
    const { parameters, backward, weights, gradient, current } = setUp();
    const sgd = new Sgd(parameters, { lr: 0.1, momentum: 0.9, weightDecay: 0.5 });
    const buffer = new Float64Array(38);
    backward();
    for (const lr of [0.1, 0.01, 0.2]) {
      sgd.setLearningRate(lr);
      sgd.step();
      await parameters.get('bias').data(); // the step runs at its own rate
      reference.sgdMomentum({ weight: weights, buffer }, gradient, { lr, momentum: 0.9, weightDecay: 0.5 });
    }
    expectClose(await current(), weights, { scale: weights.map((w) => Math.abs(w) + 1) });
    expect(sgd.state.momentum_buffer!.size).toBe(parameters.weights.size);
    expect(new Sgd(parameters, { lr: 0.1 }).state).toEqual({});
  });

  it('without a maximum the norm is computed and nothing is clipped', async () => {
    const { parameters, backward, gradient } = setUp();
    backward();
    expectClose(await clipGradNorm(parameters, null).data(), [reference.norm(gradient), 1]);
  });
});
