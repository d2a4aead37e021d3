import { describe, expect, it } from 'vitest';
import { inBatchSoftmax, inBatchSoftmaxGrad, SOFTMAX_THREADS } from '../../src/kernels/in-batch-softmax.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose, type Tolerance } from '../numbers.ts';
import type { Numbers } from '../reference/elementwise.ts';
import * as reference from '../reference/in-batch-softmax.ts';

const on = useGpu();

interface Batch extends reference.InBatch {
  readonly items: Uint32Array<ArrayBuffer>;
  readonly logQ: Float32Array<ArrayBuffer>;
}

/** Items of which some are drawn several times, with shares of all positives from 1e-6 on. */
function randomBatch(rows: number, draws: Draws, vocabulary = Math.ceil(1.5 * rows)): Batch {
  const logQ = Float32Array.from({ length: vocabulary }, () => Math.log(1e-6 + draws.uniform() ** 4));
  return { items: draws.ids(rows, vocabulary), logQ, scale: 1 / 0.3 };
}

/** What the kernels make of a batch, with each of the workgroups that there are: losses and gradients. */
async function computed(logits: Float32Array<ArrayBuffer>, batch: Batch, dy: number) {
  const rows = batch.items.length;
  return Promise.all(
    Object.values(SOFTMAX_THREADS).map(async (threads) => {
      const trial = new Trial(on.gpu);
      const [losses, values] = [trial.f32('losses', rows), trial.f32('row values', 4 * rows)];
      const gradient = trial.f32('gradient', rows * rows);
      const inputs = {
        logits: trial.input(logits),
        items: trial.input(batch.items),
        logQ: trial.input(batch.logQ),
      };
      const size = { rows, scale: batch.scale };
      inBatchSoftmax(trial.plan, { ...inputs, losses: losses.view, rowValues: values.view }, size, threads);
      const views = { ...inputs, rowValues: values.view, dy: trial.input([dy]), gradient: gradient.view };
      inBatchSoftmaxGrad(trial.plan, views, size);
      trial.plan.run();
      return { losses: await losses.data(), gradient: await gradient.data() };
    }),
  );
}

/** @param tolerances of losses and gradients; the gradients' default is relative to a share of 1 */
async function expectSoftmax(
  logits: Float32Array<ArrayBuffer>,
  batch: Batch,
  tolerances: { losses?: Tolerance; gradient?: Tolerance } = {},
) {
  const dy = 0.7;
  const expected = reference.inBatchSoftmaxLosses(logits, batch);
  const slopes = reference.inBatchSoftmaxGradient(logits, batch).map((slope) => dy * slope);
  const ofOne = (dy * batch.scale) / batch.items.length;
  // A z of 20 is right to 1e-6, and so is what follows from it.
  const defaults = {
    losses: { relative: 2e-6, scale: expected.map((loss) => loss + 10) },
    gradient: { relative: 1e-5, scale: slopes.map(() => ofOne) },
  };
  for (const { losses, gradient } of await computed(logits, batch, dy)) {
    expectClose(losses, expected, tolerances.losses ?? defaults.losses);
    expectClose(gradient, slopes, tolerances.gradient ?? defaults.gradient);
  }
}

describe('softmax cross-entropy within a batch', () => {
  it.each([1, 2, 7, 8, 9, 31, 33, 64, 257])('of %i samples', async (rows) => {
    const draws = new Draws(rows);
    await expectSoftmax(draws.normal(rows * rows, 0, 3), randomBatch(rows, draws));
  });

  it('of so many samples that a row’s sum is taken in chunks', async () => {
    const draws = new Draws(2);
    const rows = 1030;
    // Relative to each share itself: a z of 20 is right to 1e-6.
    const gradient = { relative: 1e-5 };
    await expectSoftmax(draws.normal(rows * rows, 0, 1), randomBatch(rows, draws), { gradient });
  });

  it('an item drawn again is nobody’s negative who took it', async () => {
    const draws = new Draws(3);
    const batch = { ...randomBatch(12, draws), items: Uint32Array.of(4, 1, 4, 4, 0, 1, 2, 3, 2, 2, 2, 4) };
    const logits = draws.normal(144, 0, 2);
    await expectSoftmax(logits, batch);
    const [{ gradient }] = await computed(logits, batch, 1);
    const masked = [...gradient].filter((_, i) => {
      const [r, j] = [Math.floor(i / 12), i % 12];
      return r !== j && batch.items[r] === batch.items[j];
    });
    expect(masked.length).toBe(4 * 3 + 2 + 4 * 3);
    expect(masked.every((slope) => slope === 0)).toBe(true);
  });

  it('of users who all took the same item costs nothing', async () => {
    const draws = new Draws(4);
    const batch = { ...randomBatch(10, draws), items: new Uint32Array(10).fill(3) };
    for (const { losses, gradient } of await computed(draws.normal(100), batch, 1)) {
      expect([...losses].every((loss) => loss === 0)).toBe(true);
      expect([...gradient].every((slope) => slope === 0)).toBe(true);
    }
  });

  it('a user’s own item far above the others leaves a small loss, of which no digit is lost', async () => {
    const rows = 9;
    const draws = new Draws(5);
    const batch = { ...randomBatch(rows, draws), items: Uint32Array.from({ length: rows }, (_, j) => j), scale: 1 };
    const logits = Float32Array.from({ length: rows * rows }, (_, i) =>
      i % (rows + 1) === 0 ? 5 + 4 * (i % rows) : 0,
    );
    const losses = reference.inBatchSoftmaxLosses(logits, batch);
    expect(Math.min(...losses)).toBeLessThan(1e-10);
    const relative = 1e-5; // of a loss e^−20, whose exponent is right to 1e-6
    await expectSoftmax(logits, batch, { losses: { relative }, gradient: { relative } });
  });

  it('of logits whose exponentials are no numbers', async () => {
    const rows = 6;
    // All z are exact, so that no rounding of theirs is in the results.
    const batch = { items: Uint32Array.of(0, 1, 2, 3, 4, 0), logQ: new Float32Array(5).fill(-4), scale: 1 };
    const big = [1e4, -1e4, 300, -300, 1e30, -1e30];
    const logits = Float32Array.from({ length: rows * rows }, (_, i) => big[((5 * i) % 7) % rows]!);
    const expected: Numbers = reference.inBatchSoftmaxLosses(logits, batch);
    expect(Math.max(...Array.from(expected))).toBeGreaterThan(1e29);
    await expectSoftmax(logits, batch, { losses: { relative: 2e-6, scale: Array.from(expected, (x) => x + 1e4) } });
  });

  // One elsewhere in a product U · Vᵀ comes from a row of U or V, and so stands in the diagonal as well.
  it('a logit of a user’s own item that is not a number shows in the loss', async () => {
    const draws = new Draws(7);
    const logits = draws.normal(81);
    logits[3 * 10] = Number.NaN;
    for (const { losses } of await computed(logits, randomBatch(9, draws), 1)) {
      expect([...losses].map(Number.isNaN)).toEqual(Array.from({ length: 9 }, (_, r) => r === 3));
    }
  });

  it('of nothing dispatches nothing', () => {
    const trial = new Trial(on.gpu);
    const none = trial.input([]);
    const size = { rows: 0, scale: 1 };
    const inputs = { logits: none, items: none, logQ: none };
    inBatchSoftmax(trial.plan, { ...inputs, losses: none, rowValues: none }, size);
    inBatchSoftmaxGrad(trial.plan, { ...inputs, rowValues: none, dy: none, gradient: none }, size);
    expect(trial.plan.dispatches).toHaveLength(0);
  });
});
