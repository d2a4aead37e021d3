import { describe, expect, it } from 'vitest';
import { easeScorer } from '../../src/baselines/ease.ts';
import { ConfigError } from '../../src/errors.ts';
import { expectClose } from '../numbers.ts';
import { inverse } from '../reference/inverse.ts';
import { everyItem, histories, randomHistories } from './histories.ts';

/** B, [items × items] row after row, from its definition. */
function naiveWeights(lists: readonly (readonly number[])[], items: number, lambda: number): number[][] {
  const all = [...Array(items).keys()];
  const gram = all.map((i) =>
    all.map((j) => lists.filter((list) => list.includes(i) && list.includes(j)).length + (i === j ? lambda : 0)),
  );
  const p = inverse(gram);
  return all.map((i) => all.map((j) => (i === j ? 0 : -p[i][j] / p[j][j])));
}

describe('EASE', () => {
  it('of two items is what can be computed by hand', async () => {
    // XᵀX + I = [[3, 1], [1, 2]], its inverse [[2, −1], [−1, 3]] / 5, so B_01 = 1/3 (into item 1) and B_10 = 1/2
    const split = histories([[0, 1], [0], []], 2);
    const scorer = await easeScorer(split, { lambda: 1 });
    expectClose(scorer(0, everyItem(split)), [1 / 2, 1 / 3], { relative: 1e-14 });
    expect(scorer(2, everyItem(split))).toEqual(new Float64Array(2));
  });

  it('gives an item no weight for itself', async () => {
    const split = histories([[0], [1], [0, 1]], 3);
    const scorer = await easeScorer(split);
    expect(scorer(0, Uint32Array.of(0))).toEqual(Float64Array.of(0));
    expect(scorer(0, Uint32Array.of(1))[0]).toBeGreaterThan(0);
  });

  // Less than a block of the inverse, whole blocks, and a block that is not full
  it.each([
    [7, 0.5],
    [64, 500],
    [81, 3],
  ])('of %i items agrees with a dense inverse by pivoting, λ %d', async (items, lambda) => {
    const lists = randomHistories(60, items, 11);
    const split = histories(lists, items);
    const scorer = await easeScorer(split, { lambda });
    const b = naiveWeights(lists, items, lambda);
    for (const user of [0, 31, 59]) {
      const scale = new Float64Array(items).fill(1e-3);
      const expected = b[0].map((_, item) => {
        for (const other of lists[user]) scale[item] += Math.abs(b[other][item]);
        return lists[user].reduce((score, other) => score + b[other][item], 0);
      });
      expectClose(scorer(user, everyItem(split)), expected, { relative: 1e-11, scale });
    }
  });

  it('refuses a λ that cannot be, and one too small for its data', async () => {
    const twins = histories([[0, 1]], 2);
    for (const lambda of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const refused = easeScorer(twins, { lambda });
      await expect(refused).rejects.toThrow(`lambda ${lambda}: a number above 0 would be right`);
      await expect(refused).rejects.toThrow(ConfigError);
    }
    await expect(easeScorer(twins, { lambda: 1e-300 })).rejects.toThrow('a larger λ would be right');
  });

  it('says how large the matrix of a large catalogue would be', async () => {
    await expect(easeScorer(histories([[0]], 100_000))).rejects.toThrow(
      'EASE of 100000 items inverts a matrix of 74.5 GiB; at most 2.0 GiB, 16384 items, would be right',
    );
  });

  it('ends with the signal’s reason when it is stopped', async () => {
    const stopped = easeScorer(histories([[0]], 2), { signal: AbortSignal.abort(new Error('stopped')) });
    await expect(stopped).rejects.toThrow('stopped');
  });
});
