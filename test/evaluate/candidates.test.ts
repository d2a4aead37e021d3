import { describe, expect, it } from 'vitest';
import type { Split } from '../../src/data/split.ts';
import { DataError } from '../../src/errors.ts';
import { type Candidates, candidates } from '../../src/evaluate/candidates.ts';
import { NO_CANDIDATE } from '../../src/kernels/rank.ts';
import { splitOf, tasteGroups } from '../train/fixture.ts';

/** Each tested user's held-out item and negatives. */
function lists({ users, items, width }: Candidates) {
  return Array.from(users, (user, row) => {
    const [heldOut, ...rest] = items.subarray(row * width, (row + 1) * width);
    return { user, heldOut, negatives: rest.filter((item) => item !== NO_CANDIDATE) };
  });
}

/** Every item that the user ever interacted with. */
function known({ train, test, validation }: Split, user: number): number[] {
  const held = [test, validation].flatMap((pairs) =>
    pairs ? Array.from(pairs.users, (other, i) => (other === user ? [pairs.items[i]!] : [])).flat() : [],
  );
  return [...train.items.subarray(train.offsets[user], train.offsets[user + 1]), ...held];
}

describe('with many items, every tested user', () => {
  const split = tasteGroups({ users: 30, items: 300, groups: 3, perUser: 20 });
  const drawn = candidates(split, 42);

  it('has the held-out item first, and 99 different ones that the user never interacted with', () => {
    expect(drawn).toMatchObject({ width: 100, users: split.test.users });
    expect(drawn.protocol).toBe('leave-one-out, 99 sampled negatives, ties against the model');
    for (const [row, { user, heldOut, negatives }] of lists(drawn).entries()) {
      expect(heldOut).toBe(split.test.items[row]);
      expect(new Set(negatives).size).toBe(99);
      expect(negatives.filter((item) => known(split, user).includes(item))).toEqual([]);
      expect(Math.max(...negatives)).toBeLessThan(300);
    }
  });

  it('has the same list for the same seed, another for another, and not the list of other users', () => {
    expect(candidates(split, 42)).toEqual(drawn);
    expect(candidates(split, 43).items).not.toEqual(drawn.items);
    const [first, second] = lists(drawn);
    expect(first!.negatives).not.toEqual(second!.negatives);
  });

  it('meets all items about equally often over many seeds', () => {
    const counts = new Uint32Array(300);
    for (let seed = 0; seed < 100; seed++) {
      for (const { negatives } of lists(candidates(split, seed))) for (const item of negatives) counts[item]!++;
    }
    // 300,000 draws among 280 items of 30 users: about 1,000 an item, ± 150 because users differ in what they know.
    expect(Math.min(...counts)).toBeGreaterThan(700);
    expect(Math.max(...counts)).toBeLessThan(1300);
  });

  it('may ask for another number', () => {
    const few = candidates(split, 42, 9);
    expect([few.width, few.protocol]).toEqual([10, 'leave-one-out, 9 sampled negatives, ties against the model']);
  });
});

it('a validation item is no negative', () => {
  const base = tasteGroups({ users: 20, items: 110, groups: 1, perUser: 8 });
  // Of 110 items a user knows 8 and the validation item, so that 101 are free and nearly every one is drawn.
  const free = Uint32Array.from(base.test.users, (user) => {
    const taken = known(base, user);
    return [...Array(110).keys()].find((item) => !taken.includes(item))!;
  });
  const split = { ...base, validation: { users: base.test.users, items: free } };
  for (const { user, negatives } of lists(candidates(split, 1))) {
    expect(negatives).toHaveLength(99);
    expect(negatives).not.toContain(free[user]);
  }
});

it('a user with fewer free items gets all of them, and one with more still 99', () => {
  const takes = (user: number, count: number) => [...Array(count).keys()].map((item): [number, number] => [user, item]);
  const split = splitOf([...takes(0, 2), ...takes(1, 100), ...takes(2, 120), ...takes(3, 21)], 4, 120);
  const all = candidates(split, 7);
  expect(all.width).toBe(100);
  const negatives = lists(all).map((list) => list.negatives.toSorted((a, b) => a - b));
  expect(negatives.map(({ length }) => length)).toEqual([99, 20, 0, 99]);
  expect(negatives[1]).toEqual([...Array(20).keys()].map((n) => 100 + n));
  expect(negatives[3]).toEqual([...Array(99).keys()].map((n) => 21 + n));
});

it('negatives that come with the data are taken as they are, lists of different lengths too', () => {
  const split = splitOf(
    [
      [0, 0],
      [0, 1],
      [1, 2],
      [2, 0],
      [2, 3],
    ],
    3,
    9,
  );
  const given = { offsets: Uint32Array.of(0, 3, 4), items: Uint32Array.of(8, 5, 6, 7) };
  expect(candidates({ ...split, negatives: given }, 42)).toEqual({
    users: Uint32Array.of(0, 2),
    width: 4,
    items: Uint32Array.of(1, 8, 5, 6, 3, 7, NO_CANDIDATE, NO_CANDIDATE),
    protocol: 'leave-one-out, 3 negatives of the data set, ties against the model',
  });
});

it('data without a test item have nothing to rank', () => {
  expect(() =>
    candidates(
      splitOf(
        [
          [0, 0],
          [1, 1],
        ],
        2,
        5,
      ),
      42,
    ),
  ).toThrow(DataError);
});
