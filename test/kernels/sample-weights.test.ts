import { expect, it } from 'vitest';
import { sampleWeights } from '../../src/kernels/sample-weights.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';

const on = useGpu();

it.each([1, 64, 65, 1000])(
  'of %i samples positives have their items’ weights, exactly, and negatives 1',
  async (rows) => {
    const draws = new Draws(rows);
    const [items, labels] = [draws.ids(rows, 30), Float32Array.from(draws.ids(rows, 2))];
    const itemWeights = draws.vector(30, 0.01, 100);
    const trial = new Trial(on.gpu);
    const weights = trial.f32('weights', rows);
    const inputs = { items: trial.input(items), labels: trial.input(labels), itemWeights: trial.input(itemWeights) };
    sampleWeights(trial.plan, { ...inputs, weights: weights.view }, rows);
    trial.plan.run();
    expect([...(await weights.data())]).toEqual(Array.from(items, (item, r) => (labels[r] ? itemWeights[item] : 1)));
  },
);

it('of an empty batch dispatches nothing', () => {
  const trial = new Trial(on.gpu);
  const view = trial.input([]);
  sampleWeights(trial.plan, { items: view, labels: view, itemWeights: view, weights: view }, 0);
  expect(trial.plan.dispatches).toEqual([]);
});
