/** Inverse propensity weights in training: what the batches carry, and what they do to rare items. */
import { describe, expect, it } from 'vitest';
import { popularity } from '../../src/data/split.ts';
import { FullRanking } from '../../src/evaluate/full-ranking.ts';
import { inversePropensities } from '../../src/train/propensity.ts';
import { BatchSampler } from '../../src/train/sampler.ts';
import { resolveSettings } from '../../src/train/settings.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';
import { drawn, splitOf, trained } from './fixture.ts';

const on = useGpu();

/**
 * 240 users in three groups, each of whom takes 6 of the group's 20 items, popular ones sooner: the k-th of them with a
 * weight of k^−0.7. Weighted draws without replacement are the largest u^(1 / weight) (Efraimidis and Spirakis 2006).
 */
const SKEWED = (() => {
  const draws = new Draws(8);
  const rows = Array.from({ length: 240 }, (_, user): [number, number][] => {
    const keys = Array.from({ length: 20 }, (_, k) => ({
      item: 3 * k + (user % 3),
      key: draws.uniform() ** ((k + 1) ** 0.7),
    }));
    const taken = keys.toSorted((a, b) => b.key - a.key).slice(0, 6);
    const last = Math.floor(6 * draws.uniform()); // the held-out item is any of them
    return [...taken.toSpliced(last, 1), taken[last]!].map(({ item }) => [user, item]);
  });
  return splitOf(rows.flat(), 240, 60);
})();
const COUNTS = popularity(SKEWED);

describe('a batch', () => {
  const samplerOf = (settings: object) =>
    new BatchSampler(on.gpu, SKEWED, resolveSettings({ batchSize: 10_000, ...settings }));

  it('weighs positives by their items and negatives by 1, with mean 1 over an epoch’s positives', async () => {
    const { items, labels, weights } = await drawn(on.gpu, samplerOf({ ipsPower: 0.5 }), 0);
    const expected = inversePropensities(COUNTS, 0.5, 10);
    expect(weights).toEqual(items.map((item, i) => (labels[i] ? expected[item] : 1)));
    const ofPositives = weights!.filter((_, i) => labels[i]);
    expect(ofPositives.reduce((a, b) => a + b) / ofPositives.length).toBeCloseTo(1, 5);
  });

  it('without a power carries no weights, and is the same otherwise', async () => {
    const plain = await drawn(on.gpu, samplerOf({}), 0);
    expect(plain.weights).toBeUndefined();
    const { weights: _, ...weighted } = await drawn(on.gpu, samplerOf({ ipsPower: 1 }), 0);
    expect(weighted).toEqual({ users: plain.users, items: plain.items, labels: plain.labels });
  });
});

describe.each([1, 2])('trained from seed %i', (seed) => {
  /** Mean ranks among all unseen items of the held-out ones in the rarer and in the more popular half of the items. */
  async function meanRanks(ipsPower: number) {
    const settings = { model: 'mf', gmfDim: 4, batchSize: 128, epochs: 8, lr: 0.01, weightDecay: 1e-3 } as const;
    const { model } = await trained(on.gpu, { ...settings, eval: 'none', seed, ipsPower }, {}, SKEWED);
    const ranks = [...(await new FullRanking(on.gpu, model, SKEWED).ranks())];
    const median = COUNTS.toSorted((a, b) => a - b)[30]!;
    const isRare = (i: number) => COUNTS[SKEWED.test.items[i]!]! < median;
    const mean = (part: number[]) => part.reduce((a, b) => a + b) / part.length;
    return { rare: mean(ranks.filter((_, i) => isRare(i))), popular: mean(ranks.filter((_, i) => !isRare(i))) };
  }

  it('rare items rank better the higher the power, and popular ones pay for it', async () => {
    const [none, some, full] = [await meanRanks(0), await meanRanks(0.5), await meanRanks(1)];
    expect(some.rare).toBeLessThan(0.95 * none.rare);
    expect(full.rare).toBeLessThan(0.95 * some.rare);
    expect(full.popular).toBeGreaterThan(none.popular);
  });
});
