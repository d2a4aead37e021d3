import { describe, expect, it } from 'vitest';
import { bce } from '../../src/kernels/bce.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import * as reference from '../reference/bce.ts';

const on = useGpu();
/** Below 2⁻¹²⁶ a f32 has lost digits, and adapters may round it to 0: such values need be right only to that. */
const FLOOR = 2 ** -126 * 1e7;

async function expectLosses(
  logits: Float32Array<ArrayBuffer>,
  labels: Float32Array<ArrayBuffer>,
  scale: number,
  weights?: Float32Array<ArrayBuffer>,
) {
  const n = logits.length;
  const trial = new Trial(on.gpu);
  const [losses, gradient] = [trial.f32('losses', n), trial.f32('gradient', n)];
  const views = {
    logits: trial.input(logits),
    labels: trial.input(labels),
    ...(weights && { weights: trial.input(weights) }),
    losses: losses.view,
    gradient: gradient.view,
  };
  bce(trial.plan, views, n, scale);
  trial.plan.run();
  // Adapters compute e^x as 2^(x · log₂ e): what is left of a loss far out has the rounding of that exponent.
  const sized = (values: Float64Array) =>
    values.map((value, i) => value * Math.max(1, Math.abs(logits[i]!) / 8) + FLOOR);
  const weighted = (values: Float64Array) => values.map((value, i) => value * (weights?.[i] ?? 1));
  const expected = weighted(reference.bceLosses(logits, labels));
  expectClose(await losses.data(), expected, { scale: sized(expected) });
  // Near its zero the gradient of a soft label is the small difference of these two.
  const towards0 = reference.bceGradient(logits, new Float32Array(n)).map((slope, i) => slope * (1 - labels[i]!));
  const towards1 = reference.bceGradient(logits, new Float32Array(n).fill(1)).map((slope, i) => -slope * labels[i]!);
  const slopes = weighted(reference.bceGradient(logits, labels)).map((slope) => slope * scale);
  const terms = weighted(towards0.map((slope, i) => (slope + towards1[i]!) * scale));
  expectClose(await gradient.data(), slopes, { scale: sized(terms) });
}

describe('binary cross-entropy from logits', () => {
  it.each([1, 3, 7, 9, 65, 257])('of %i hard labels', async (n) => {
    const draws = new Draws(n);
    const labels = Float32Array.from(draws.ids(n, 2));
    await expectLosses(draws.normal(n, 0, 3), labels, 1 / n);
  });

  it('of soft labels', async () => {
    const draws = new Draws(1);
    await expectLosses(draws.normal(500, 0, 2), draws.vector(500, 0, 1), 1);
  });

  it.each([1, 9, 65, 257])('of %i samples that do not count alike', async (n) => {
    const draws = new Draws(n + 1);
    await expectLosses(draws.normal(n, 0, 3), draws.vector(n, 0, 1), 1 / n, draws.vector(n, 0.01, 20));
  });

  it.each([0, 1, 0.25])('of logits from −100 to 100 and label %d: no digit and no number is lost', async (label) => {
    const logits = Float32Array.from({ length: 401 }, (_, i) => (i - 200) / 2);
    await expectLosses(logits, new Float32Array(401).fill(label), 1);
  });

  it('of logits near 0, and of logits that no model should have', async () => {
    const logits = Float32Array.of(0, -0, 1e-6, -1e-6, 1e-30, 6.9, 6.91, 1e4, -1e4, 3e38, -3e38);
    for (const label of [0, 1]) await expectLosses(logits, new Float32Array(11).fill(label), 0.5);
  });

  it('of nothing dispatches nothing', () => {
    const trial = new Trial(on.gpu);
    const view = trial.input([]);
    bce(trial.plan, { logits: view, labels: view, losses: view, gradient: view }, 0, 1);
    expect(trial.plan.dispatches).toEqual([]);
  });
});
