import { describe, expect, it } from 'vitest';
import { dropout } from '../../src/kernels/dropout.ts';
import { STREAM } from '../../src/random.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import * as reference from '../reference/random.ts';

const on = useGpu();

async function dropped(x: Float32Array<ArrayBuffer>, counter: reference.DropoutCounter) {
  const trial = new Trial(on.gpu);
  const y = trial.f32('y', x.length);
  const step = trial.input(Uint32Array.of(counter.step));
  dropout(trial.plan, trial.input(x), y.view, x.length, { ...counter, step });
  trial.plan.run();
  return y.data();
}

describe('dropout', () => {
  it.each([1, 3, 4, 7, 257, 1001])('of %i elements drops those that the reference drops', async (n) => {
    const x = new Draws(n).normal(n);
    for (const p of [0.1, 0.5, 0.999]) {
      const counter = { p, seed: 0xfedcba98, stream: STREAM.dropout + 2, step: 123456 };
      expectClose(await dropped(x, counter), reference.dropout(x, counter));
    }
  });

  it('keeps the fraction 1 − p and scales so that the mean stays', async () => {
    const n = 100_000;
    const ones = new Float32Array(n).fill(1);
    for (const p of [0.05, 0.2, 0.5, 0.9]) {
      const y = await dropped(ones, { p, seed: 1, stream: STREAM.dropout, step: 0 });
      const kept = y.filter((value) => value > 0);
      const deviations = Math.abs(kept.length - n * (1 - p)) / Math.sqrt(n * p * (1 - p));
      expect(deviations).toBeLessThan(4);
      expect(new Set(kept)).toEqual(new Set([Math.fround(1 / (1 - p))]));
    }
  });

  it('drops others in another step, layer or seed', async () => {
    const ones = new Float32Array(1000).fill(1);
    const counter = { p: 0.5, seed: 1, stream: STREAM.dropout, step: 0 };
    const mask = await dropped(ones, counter);
    for (const other of [{ step: 1 }, { stream: STREAM.dropout + 1 }, { seed: 2 }]) {
      const otherMask = await dropped(ones, { ...counter, ...other });
      const agreeing = otherMask.filter((value, i) => value === mask[i]).length;
      expect(agreeing).toBeGreaterThan(400); // independent masks agree on half of the elements
      expect(agreeing).toBeLessThan(600);
    }
    expect(await dropped(ones, counter)).toEqual(mask);
  });
});
