import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/autograd/clock.ts';
import { bceWithLogits } from '../../src/autograd/ops/bce.ts';
import { dropout } from '../../src/autograd/ops/dropout.ts';
import { embedding } from '../../src/autograd/ops/embedding.ts';
import { hadamard } from '../../src/autograd/ops/hadamard.ts';
import { hiddenLayers } from '../../src/autograd/ops/hidden-layers.ts';
import { linear } from '../../src/autograd/ops/linear.ts';
import { record, type Tape, tensor, zeros } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';

const on = useGpu();

/** A small model's tensors, the same at every call. */
function model() {
  const draws = new Draws(2);
  const parameter = (shape: number[]) =>
    tensor(on.gpu, draws.normal(shape.reduce((a, b) => a * b)), { shape, requiresGrad: true });
  const parameters = {
    table: parameter([20, 6]),
    weight: parameter([5, 6]),
    bias: parameter([5]),
    gamma: parameter([5]),
    beta: parameter([5]),
    head: parameter([1, 5]),
    offset: parameter([1]),
  };
  const ids = tensor(on.gpu, draws.ids(33, 20));
  const labels = tensor(on.gpu, Float32Array.from(draws.ids(33, 2)));
  const running = { runningMean: zeros(on.gpu, [5]), runningVar: zeros(on.gpu, [5]) };
  return { ...parameters, parameters: Object.values(parameters), ids, labels, running };
}

function loss(m: ReturnType<typeof model>, step: Tensor): Tensor {
  const x = embedding({ table: m.table, ids: m.ids });
  const norm = { gamma: m.gamma, beta: m.beta, ...m.running };
  const hidden = hiddenLayers(x, [
    { weight: m.weight, bias: m.bias, norm, p: 0.2, dropout: { seed: 1, layer: 0, step } },
  ]);
  return bceWithLogits(linear(hidden, m.head, m.offset), m.labels);
}

const all = async (tensors: readonly Tensor[]) => {
  const values: number[][] = [];
  for (const t of tensors) values.push([...(await t.data())]);
  return values;
};

describe('a recorded plan', () => {
  it('does not run before it is told to, and then gives what the same ops give at once, at every replay', async () => {
    const [eager, recorded] = [model(), model()];
    const step = zeros(on.gpu, [1], { dtype: 'u32' });
    const expected = loss(eager, step);
    expected.backward();
    let actual!: Tensor;
    const plan = record(on.gpu, 'step', () => {
      actual = loss(recorded, step);
      actual.backward();
    });
    expect([...(await actual.data())]).toEqual([0]);
    plan.run();
    const once = await all([actual, ...recorded.parameters.map((p) => p.grad!)]);
    expect(once).toEqual(await all([expected, ...eager.parameters.map((p) => p.grad!)]));
    plan.run();
    expect(await all([actual, ...recorded.parameters.map((p) => p.grad!)])).toEqual(once);
  });

  it('makes no buffer and no bind group when it is replayed', async () => {
    const m = model();
    const clock = new Clock(on.gpu, 4);
    const plan = record(on.gpu, 'step', () => {
      const value = loss(m, clock.step);
      value.backward();
      clock.advance(value);
    });
    plan.run();
    await clock.losses.data();
    const before = { ...on.gpu.counters };
    plan.run(100);
    for (let i = 0; i < 10; i++) plan.run();
    await clock.losses.data();
    expect(on.gpu.counters).toEqual({ ...before, submits: before.submits + 12 });
  });

  it('draws another dropout mask at every step of the clock, and the same one at the same step', async () => {
    const clock = new Clock(on.gpu, 3);
    const ones = tensor(on.gpu, new Float32Array(200).fill(1));
    let y!: Tensor;
    const plan = record(on.gpu, 'step', () => {
      y = dropout(ones, 0.5, { seed: 9, layer: 0, step: clock.step });
      clock.advance(y.sum());
    });
    plan.run(3);
    const first = [...(await clock.losses.data())];
    expect(new Set(first).size).toBeGreaterThan(1);
    expect([...(await clock.step.data())]).toEqual([3]);
    clock.set(0);
    plan.run(3);
    expect([...(await clock.losses.data())]).toEqual(first);
    await y.data();
  });

  it('computes its gradients anew at each replay, on top of none', async () => {
    const x = tensor(on.gpu, [1, 2], { requiresGrad: true });
    const scale = tensor(on.gpu, [3, 4]);
    const plan = record(on.gpu, 'step', () => {
      x.zeroGrad();
      hadamard(hadamard(x, x), scale).sum().backward();
    });
    plan.run(2);
    expect([...(await x.grad!.data())]).toEqual([6, 16]);
    x.write(Float32Array.of(5, 6));
    plan.run();
    expect([...(await x.grad!.data())]).toEqual([30, 48]);
  });

  it('leaves ops outside of it, before and after, to run by themselves', async () => {
    const x = tensor(on.gpu, [1, 2]);
    const before = hadamard(x, x);
    expect(() =>
      record(on.gpu, 'broken', () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    const after = hadamard(before, x);
    expect([...(await after.data())]).toEqual([1, 8]);
  });
});

it('a tape can free what was made while it was recorded, and nothing else', async () => {
  using gpu = await Gpu.open(); // the use of what is freed is an error, and a Gpu keeps its first one
  const x = tensor(gpu, [[1, 2]]);
  let tape!: Tape;
  let y!: Tensor;
  const plan = record(gpu, 'product', (recording) => {
    tape = recording;
    y = hadamard(x, x);
  });
  plan.run();
  expect([...(await y.data())]).toEqual([1, 4]);
  tape.dispose();
  expect([...(await x.data())]).toEqual([1, 2]);
  await expect(y.data()).rejects.toThrow(/destroyed/);
});
