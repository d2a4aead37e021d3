import { describe, expect, it } from 'vitest';
import { normalize } from '../../src/kernels/normalize.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import * as reference from '../reference/normalize.ts';

const on = useGpu();

async function normalized(x: Float32Array<ArrayBuffer>, dim: number) {
  const trial = new Trial(on.gpu);
  const y = trial.f32('y', x.length);
  normalize(trial.plan, trial.input(x), y.view, { rows: x.length / dim, dim });
  trial.plan.run();
  return y.data();
}

describe.each([
  [1, 1],
  [3, 7],
  [130, 40],
  [0, 5],
])('%i rows of %i', (rows, dim) => {
  it('have length one', async () => {
    const x = new Draws(rows + dim).normal(rows * dim, 0.2);
    expectClose(await normalized(x, dim), reference.normalize(x, dim));
  });
});

it('rows of extreme length have length one as well, and rows of zeros stay zeros', async () => {
  const x = Float32Array.of(3e38, -3e38, 3e-11, 4e-11, 0, 0, 1e-20, 0);
  const expected = [Math.SQRT1_2, -Math.SQRT1_2, 0.6, 0.8, 0, 0, 0, 0];
  expectClose(await normalized(x, 2), expected);
  expect(expected).toHaveLength(x.length);
});
