import { describe, expect, it } from 'vitest';
import { concat, split } from '../../src/kernels/concat.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';
import * as reference from '../reference/elementwise.ts';

const on = useGpu();

describe.each([
  [1, 1, 1],
  [1, 5, 3],
  [9, 8, 16],
  [33, 7, 1],
  [65, 3, 64],
  [257, 12, 5],
])('%i rows of %i and %i columns', (rows, left, right) => {
  it('stand side by side, and come apart again bit for bit', async () => {
    const draws = new Draws(rows);
    const [a, b] = [draws.normal(rows * left), draws.normal(rows * right)];
    const trial = new Trial(on.gpu);
    const out = trial.f32('out', rows * (left + right));
    const [backA, backB] = [trial.f32('a', rows * left), trial.f32('b', rows * right)];
    concat(trial.plan, trial.input(a), trial.input(b), out.view, { rows, left, right });
    split(trial.plan, out.view, backA.view, backB.view, { rows, left, right });
    trial.plan.run();
    expect([...(await out.data())]).toEqual([...reference.concat(a, b, left, right)]);
    expect(await backA.data()).toEqual(a);
    expect(await backB.data()).toEqual(b);
  });
});

it('no rows dispatch nothing', () => {
  const trial = new Trial(on.gpu);
  const view = trial.input([1]);
  concat(trial.plan, view, view, view, { rows: 0, left: 3, right: 5 });
  split(trial.plan, view, view, view, { rows: 0, left: 3, right: 5 });
  expect(trial.plan.dispatches).toEqual([]);
});
