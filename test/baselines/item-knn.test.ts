import { describe, expect, it } from 'vitest';
import { itemKnnScorer } from '../../src/baselines/item-knn.ts';
import { ConfigError } from '../../src/errors.ts';
import { expectClose } from '../numbers.ts';
import { everyItem, histories, randomHistories } from './histories.ts';

/** The score from its definition: cosines of whole columns, sorted, nothing shared between calls. */
function naiveScore(lists: readonly (readonly number[])[], items: number, k: number, user: number, item: number) {
  const have = (a: number) => lists.filter((list) => list.includes(a)).length;
  const similarity = (a: number, b: number) => {
    const both = lists.filter((list) => list.includes(a) && list.includes(b)).length;
    return both === 0 ? 0 : both / Math.sqrt(have(a) * have(b));
  };
  const others = [...Array(items).keys()].filter((other) => other !== item);
  const nearest = others.sort((a, b) => similarity(item, b) - similarity(item, a) || a - b).slice(0, k);
  return nearest
    .filter((other) => lists[user].includes(other))
    .reduce((score, other) => score + similarity(item, other), 0);
}

describe('item-kNN', () => {
  // Items 0 and 1 have three users each, two of them in common; 2 has one of 0 and 1; 3 has one of 2; nobody has 4.
  const lists = [[0, 1], [0, 1], [0, 2], [1, 3], [2, 3], []];
  const split = histories(lists, 5);

  it('adds up the cosines between an item and those of the user’s items that are near it', async () => {
    const scorer = await itemKnnScorer(split, { neighbours: 4 });
    const near = 2 / 3; // of 0 and 1
    const far = 1 / Math.sqrt(3 * 2); // of 0 and 2, and of 1 and 3
    const middle = 1 / 2; // of 2 and 3
    expectClose(scorer(0, everyItem(split)), [near, near, far, far, 0]);
    expectClose(scorer(2, everyItem(split)), [far, near, far, middle, 0]);
    expect(scorer(5, everyItem(split))).toEqual(new Float64Array(5));
  });

  it('keeps the neighbours of the item that is scored, not those of the user’s items', async () => {
    const scorer = await itemKnnScorer(split, { neighbours: 1 });
    // 0's nearest is 1, 1's is 0, 2's is 3, 3's is 2: user 2, who has 0 and 2, knows nothing of 1's second nearest, 3
    expectClose(scorer(2, Uint32Array.of(1, 3)), [2 / 3, 1 / 2]);
    // User 3 has 1 and 3: 2 is near 3 but not, with one neighbour, near 1
    expectClose(scorer(3, Uint32Array.of(0, 2)), [2 / 3, 1 / 2]);
  });

  it('takes the lower of equally similar items', async () => {
    const scorer = await itemKnnScorer(histories([[0, 2], [1, 2], [0], [1]], 3), { neighbours: 1 });
    expectClose(scorer(2, Uint32Array.of(2)), [1 / 2]);
    expectClose(scorer(3, Uint32Array.of(2)), [0]);
  });

  it.each([1, 3, 8, 29, 1000])('with %i neighbours agrees with its definition on random histories', async (k) => {
    const random = randomHistories(25, 30, 5);
    const data = histories(random, 30);
    const scorer = await itemKnnScorer(data, { neighbours: k });
    for (const user of [0, 7, 24]) {
      const expected = Array.from(everyItem(data), (item) => naiveScore(random, 30, k, user, item));
      expectClose(scorer(user, everyItem(data)), expected, { relative: 1e-12 });
    }
  });

  it('refuses a number of neighbours that cannot be', async () => {
    for (const neighbours of [0, -1, 2.5, Number.NaN]) {
      const refused = itemKnnScorer(split, { neighbours });
      await expect(refused).rejects.toThrow(`neighbours ${neighbours}: an integer of at least 1 would be right`);
      await expect(refused).rejects.toThrow(ConfigError);
    }
  });

  it('ends with the signal’s reason when it is stopped', async () => {
    await expect(itemKnnScorer(split, { signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
  });
});
