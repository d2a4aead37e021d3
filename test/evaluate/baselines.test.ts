import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../bench/dataset.ts';
import { itemKnnScorer } from '../../src/baselines/item-knn.ts';
import { popularityScorer } from '../../src/baselines/popularity.ts';
import { chanceRanks } from '../../src/baselines/random.ts';
import { candidateRanks, fullRanks, type Scorer } from '../../src/baselines/ranks.ts';
import { candidates } from '../../src/evaluate/candidates.ts';
import { hitRate, ndcg } from '../../src/evaluate/metrics.ts';
import { fullRank } from '../reference/pairs.ts';
import { splitOf, tasteGroups } from '../train/fixture.ts';

const figures = (ranks: ArrayLike<number>) => ({ hr: hitRate(ranks, 10), ndcg: ndcg(ranks, 10) });

/** `actual` within ± tolerance of the figures. */
function expectNear(actual: { hr: number; ndcg: number }, hr: number, gain: number, tolerance: number) {
  expect(Math.abs(actual.hr - hr), `HR@10 ${actual.hr}, not ${hr}`).toBeLessThanOrEqual(tolerance);
  expect(Math.abs(actual.ndcg - gain), `NDCG@10 ${actual.ndcg}, not ${gain}`).toBeLessThanOrEqual(tolerance);
}

it('popularity counts training interactions only, and loses ties', () => {
  // In training item 0 has two users, items 1 and 2 have one each; items 3 and 4 are only held out.
  const split = splitOf(
    [
      [0, 0],
      [0, 1],
      [0, 3],
      [1, 0],
      [1, 2],
      [1, 4],
      [2, 4],
      [2, 0],
    ],
    3,
    5,
  );
  const all = candidates(split, 1);
  // User 0 holds out 3 (0 users) before 2 (1) and 4 (1: user 2's); user 1 holds out 4 (1) beside 1 (1) and 3 (0);
  // user 2 holds out 0 (2) beside 1, 2 and 3.
  expect([...candidateRanks(all, popularityScorer(split))]).toEqual([2, 1, 0]);
});

describe('any score', () => {
  const base = tasteGroups({ users: 12, items: 30, groups: 2, perUser: 9 });
  // User 1's held-out item is among its training items too, as a given split may have it.
  const test = { users: base.test.users, items: Uint32Array.from(base.test.items) };
  test.items[1] = base.train.items[base.train.offsets[1]!]!;
  const validation = { users: Uint32Array.of(3, 0), items: Uint32Array.of(29, 28) };
  const split = { ...base, test, validation };
  /** Few different scores, so that there are ties; item 7 is not a number, and user 5's scores are all alike. */
  const score: Scorer = (user, items) =>
    Array.from(items, (item) => (item === 7 ? Number.NaN : user === 5 ? 0 : (item * (user + 3)) % 5));

  it('ranks among all unseen items as plain loops do', () => {
    const all = Array.from({ length: 30 }, (_, item) => item);
    const expected = Array.from(test.users, (user, row) => {
      const seen = new Set(base.train.items.subarray(base.train.offsets[user], base.train.offsets[user + 1]));
      const validated = validation.users.indexOf(user);
      if (validated >= 0) seen.add(validation.items[validated]!);
      return fullRank(Array.from(score(user, Uint32Array.from(all))), test.items[row]!, seen);
    });
    expect([...fullRanks(split, score)]).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(4);
  });

  it('ranks among candidates as among all items, when all unseen ones are candidates', () => {
    expect([...candidateRanks(candidates(base, 1, 99), score)]).toEqual([...fullRanks(base, score)]);
  });
});

describe('on the bundled data', () => {
  const load = async () => {
    const { split } = await openDataset('online-retail');
    return { split, all: candidates(split, 42) };
  };

  it('popularity reaches what numpy measured', async () => {
    const { split, all } = await load();
    expectNear(figures(candidateRanks(all, popularityScorer(split))), 0.393, 0.21, 0.01);
  });

  it('item-kNN with 50 neighbours reaches what numpy measured', async () => {
    const { split, all } = await load();
    expectNear(figures(candidateRanks(all, await itemKnnScorer(split))), 0.619, 0.394, 0.01);
  });
});

describe('chance', () => {
  const users = Uint32Array.from({ length: 4000 }, (_, user) => user);
  const holding = (item: number) => ({ ...splitOf([[0, 0]], 1, 1), test: { users, items: users.map(() => item) } });
  const others = { sampled: new Uint32Array(4000).fill(99), full: new Uint32Array(4000).fill(2999) };
  const evaluation = { others, split: holding(7) };

  it('reaches .100 and .0454 among 99 others, and 10 in 3,000 among 2,999', () => {
    for (const seed of [1, 2]) {
      const { sampled, full } = chanceRanks(evaluation, seed);
      // Two standard errors of a share of .1 among 4,000 users
      expectNear(figures(sampled!), 0.1, 0.0454, 0.01);
      expect(hitRate(full!, 10)).toBeLessThan(0.01);
      expect(hitRate(full!, 1500)).toBeCloseTo(0.5, 1);
      expect([Math.min(...sampled!), Math.max(...sampled!)]).toEqual([0, 99]);
    }
  });

  it('has the same ranks for the same seed, others for another and for other items, and those of protocols that there are', () => {
    const ranks = chanceRanks(evaluation, 1);
    expect(chanceRanks(evaluation, 1)).toEqual(ranks);
    expect(chanceRanks(evaluation, 2)).not.toEqual(ranks);
    expect(chanceRanks({ others, split: holding(8) }, 1)).not.toEqual(ranks);
    expect(chanceRanks({ ...evaluation, others: { full: Uint32Array.of(0, 0) } }, 1)).toEqual({
      full: Uint32Array.of(0, 0),
    });
  });
});

const MOVIELENS = fileURLToPath(new URL('../../../shared/data/ml-1m-ncf', import.meta.url));

it('on the split of the NCF paper popularity and item-kNN reach what is published', async ({ skip }) => {
  skip(!existsSync(MOVIELENS), 'the MovieLens files are not here; their licence forbids that they come along');
  const { split } = await openDataset(MOVIELENS);
  const all = candidates(split, 42);
  expectNear(figures(candidateRanks(all, popularityScorer(split))), 0.4535, 0.2543, 0.001);
  expectNear(figures(candidateRanks(all, await itemKnnScorer(split))), 0.6694, 0.3979, 0.01);
});
