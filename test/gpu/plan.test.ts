import { describe, expect, it } from 'vitest';
import { formatBytes } from '../../src/gpu/format.ts';
import { grid, Plan, runPlans } from '../../src/gpu/plan.ts';
import { profile } from '../../src/gpu/profiler.ts';
import { add, fill } from '../../src/kernels/elementwise.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';

const on = useGpu();

describe('a plan', () => {
  it('runs its dispatches in order, each seeing what those before it wrote', async () => {
    const trial = new Trial(on.gpu);
    const total = trial.inPlace('total', Float32Array.of(1));
    for (let i = 0; i < 10; i++) add(trial.plan, total.view, trial.input([i]), 1);
    trial.plan.run(2);
    expect([...(await total.data())]).toEqual([91]);
  });

  it('takes turns with others in one submit', async () => {
    const trial = new Trial(on.gpu);
    const total = trial.inPlace('total', Float32Array.of(0));
    const [zero, one] = [new Plan(on.gpu, 'zero'), new Plan(on.gpu, 'one')];
    fill(zero, trial.input([1]), total.view, 1, 0);
    add(one, total.view, trial.input([1]), 1);
    const { submits } = on.gpu.counters;
    runPlans(on.gpu, 'turns', (replay) => {
      for (const plan of [one, one, zero, one, one, one]) replay(plan);
    });
    expect(on.gpu.counters.submits).toBe(submits + 1);
    expect([...(await total.data())]).toEqual([3]);
  });

  it('compiles before it runs, so that no submit waits for the compiler', async () => {
    const trial = new Trial(on.gpu);
    const out = trial.f32('out', 3);
    fill(trial.plan, trial.input([2]), out.view, 3, 0.5);
    await trial.plan.compile();
    expect(trial.plan.dispatches.every(({ pipeline }) => pipeline.ready)).toBe(true);
    trial.plan.run();
    expect([...(await out.data())]).toEqual([1, 1, 1]);
  });

  it('shares the bytes of equal parameters, and makes a buffer for 256 different ones', () => {
    const trial = new Trial(on.gpu);
    const [x, out] = [trial.input([1]), trial.f32('out', 1)];
    const dispatch = (scale: number) => fill(trial.plan, x, out.view, 1, scale);
    dispatch(1000);
    const { buffers } = on.gpu.counters;
    for (let i = 0; i < 1000; i++) dispatch(1000);
    expect(on.gpu.counters.buffers).toBe(buffers);
    for (let i = 0; i < 300; i++) dispatch(2000 + i);
    expect(on.gpu.counters.buffers - buffers).toBeLessThanOrEqual(2);
  });
});

it('the grid of workgroups covers them all, in at most 65,535 a side', () => {
  for (const groups of [1, 65_535, 65_536, 100_000, 65_536 ** 2 / 4, 4_294_836_225]) {
    const [x, y] = grid(groups);
    expect(Math.max(x, y)).toBeLessThanOrEqual(65_535);
    expect(x * y).toBeGreaterThanOrEqual(groups);
    expect(x * y - groups).toBeLessThanOrEqual(x);
  }
});

it('the profiler gives every label a time and how often it is dispatched', async () => {
  const trial = new Trial(on.gpu);
  const n = 100_000;
  const [x, total] = [trial.input(new Float32Array(n)), trial.f32('total', n)];
  fill(trial.plan, x, total.view, n, 1);
  for (let i = 0; i < 3; i++) add(trial.plan, total.view, x, n);
  const timings = await profile(trial.plan);
  expect(timings.map(({ label, count }) => [label, count]).toSorted()).toEqual([
    ['add', 3],
    ['fill', 1],
  ]);
  for (const { microseconds } of timings) {
    expect(microseconds).toBeGreaterThan(0);
    expect(microseconds).toBeLessThan(1e6);
  }
});

it('sizes are told in units that people read', () => {
  expect([0, 1023, 1024, 1536, 128 * 2 ** 20, 2 ** 40].map(formatBytes)).toEqual([
    '0 bytes',
    '1023 bytes',
    '1.0 KiB',
    '1.5 KiB',
    '128.0 MiB',
    '1.0 TiB',
  ]);
});
