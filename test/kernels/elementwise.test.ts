import { describe, expect, it } from 'vitest';
import * as kernels from '../../src/kernels/elementwise.ts';
import { sum } from '../../src/kernels/sum.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import * as reference from '../reference/elementwise.ts';

const on = useGpu();
const SIZES = [1, 3, 7, 8, 9, 33, 64, 65, 257, 1000];

describe.each(SIZES)('on %i elements', (n) => {
  const draws = new Draws(n);
  const [a, b, dy] = [draws.normal(n), draws.normal(n), draws.normal(n)];

  it('hadamard multiplies, and its backward gives both factors their gradients', async () => {
    const trial = new Trial(on.gpu);
    const [va, vb] = [trial.input(a), trial.input(b)];
    const [out, da, db] = [trial.f32('out', n), trial.f32('da', n), trial.f32('db', n)];
    kernels.hadamard(trial.plan, va, vb, out.view, n);
    kernels.hadamardBackward(trial.plan, { a: va, b: vb, dy: trial.input(dy), da: da.view, db: db.view }, n);
    trial.plan.run();
    expectClose(await out.data(), reference.hadamard(a, b));
    expectClose(await da.data(), reference.hadamard(dy, b));
    expectClose(await db.data(), reference.hadamard(dy, a));
  });

  it('relu cuts what is negative, and lets a gradient through where it cut nothing', async () => {
    const trial = new Trial(on.gpu);
    const [out, dx] = [trial.f32('out', n), trial.f32('dx', n)];
    kernels.relu(trial.plan, trial.input(a), out.view, n);
    kernels.reluBackward(trial.plan, out.view, trial.input(dy), dx.view, n);
    trial.plan.run();
    expectClose(await out.data(), reference.relu(a));
    expectClose(await dx.data(), reference.reluBackward(a, dy));
  });

  it('add accumulates', async () => {
    const trial = new Trial(on.gpu);
    const total = trial.inPlace('sum', a);
    kernels.add(trial.plan, total.view, trial.input(b), n);
    trial.plan.run(3);
    const expected = reference.add(a, reference.add(b, reference.add(b, b)));
    expectClose(await total.data(), expected, { scale: expected.map((_, i) => Math.abs(a[i]!) + 3 * Math.abs(b[i]!)) });
  });

  it('fill spreads a scaled scalar', async () => {
    const trial = new Trial(on.gpu);
    const out = trial.f32('out', n);
    kernels.fill(trial.plan, trial.input([dy[0]!]), out.view, n, 0.3);
    trial.plan.run();
    expectClose(await out.data(), new Float64Array(n).fill(0.3 * dy[0]!));
  });

  it('sum adds everything and scales', async () => {
    const trial = new Trial(on.gpu);
    const out = trial.f32('out', 1);
    sum(trial.plan, trial.input(a), out.view, n, 0.3);
    trial.plan.run();
    expectClose(await out.data(), [0.3 * reference.sum(a)], { scale: [0.3 * reference.sum(reference.absolute(a))] });
  });
});

describe('at the ends', () => {
  it('nothing is dispatched for no elements, and the sum of none is 0', async () => {
    const trial = new Trial(on.gpu);
    const [x, out] = [trial.input([]), trial.f32('out', 1)];
    kernels.hadamard(trial.plan, x, x, out.view, 0);
    kernels.hadamardBackward(trial.plan, { a: x, b: x, dy: x, da: out.view, db: out.view }, 0);
    kernels.relu(trial.plan, x, out.view, 0);
    kernels.reluBackward(trial.plan, x, x, out.view, 0);
    kernels.add(trial.plan, out.view, x, 0);
    kernels.fill(trial.plan, x, out.view, 0, 1);
    expect(trial.plan.dispatches).toEqual([]);
    sum(trial.plan, x, out.view, 0, 1);
    trial.plan.run();
    expect([...(await out.data())]).toEqual([0]);
  });

  it('more than 65,535 workgroups become a grid that covers every element once', async () => {
    const n = 64 * 65535 + 1;
    const trial = new Trial(on.gpu);
    const ones = new Float32Array(n).fill(1);
    const total = trial.inPlace(
      'sum',
      Float32Array.from({ length: n }, (_, i) => i),
    );
    kernels.add(trial.plan, total.view, trial.input(ones), n);
    expect(trial.plan.dispatches[0]!.y).toBeGreaterThan(1);
    trial.plan.run();
    const wrong = (await total.data()).findIndex((value, i) => value !== i + 1);
    expect(wrong).toBe(-1);
  });

  it('the rectifier of −0 and of tiny values lets no gradient through where the output is 0', async () => {
    const x = Float32Array.of(-0, 0, -1e-30, 1e-30);
    const trial = new Trial(on.gpu);
    const [out, dx] = [trial.f32('out', 4), trial.f32('dx', 4)];
    kernels.relu(trial.plan, trial.input(x), out.view, 4);
    kernels.reluBackward(trial.plan, out.view, trial.input([1, 1, 1, 1]), dx.view, 4);
    trial.plan.run();
    expect([...(await dx.data())]).toEqual([0, 0, 0, 1]);
  });
});
