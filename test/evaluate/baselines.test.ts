import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../bench/dataset.ts';
import { popularityRanks } from '../../src/baselines/popularity.ts';
import { randomRanks } from '../../src/baselines/random.ts';
import { candidates } from '../../src/evaluate/candidates.ts';
import { hitRate, ndcg } from '../../src/evaluate/metrics.ts';
import { splitOf } from '../train/fixture.ts';

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
  expect([...popularityRanks(split, all)]).toEqual([2, 1, 0]);
});

describe('on the bundled data', () => {
  const load = async () => {
    const { split } = await openDataset('online-retail');
    return { split, all: candidates(split, 42) };
  };

  it('popularity reaches what numpy measured', async () => {
    const { split, all } = await load();
    expectNear(figures(popularityRanks(split, all)), 0.393, 0.21, 0.01);
  });

  it('chance reaches .100 and .0454, with another seed elsewhere', async () => {
    const { all } = await load();
    // Two standard errors of a share of .1 among 4,074 users
    for (const seed of [1, 2]) expectNear(figures(randomRanks(all, seed)), 0.1, 0.0454, 0.01);
    expect(randomRanks(all, 1)).toEqual(randomRanks(all, 1));
    expect(randomRanks(all, 1)).not.toEqual(randomRanks(all, 2));
  });
});

const MOVIELENS = fileURLToPath(new URL('../../../shared/data/ml-1m-ncf', import.meta.url));

it('on the split of the NCF paper popularity reaches what is published', async ({ skip }) => {
  skip(!existsSync(MOVIELENS), 'the MovieLens files are not here; their licence forbids that they come along');
  const { split } = await openDataset(MOVIELENS);
  expectNear(figures(popularityRanks(split, candidates(split, 42))), 0.4535, 0.2543, 0.001);
});
