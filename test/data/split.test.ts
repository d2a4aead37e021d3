import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readInteractions } from '../../src/data/delimited.ts';
import { identityIds } from '../../src/data/id-map.ts';
import type { Interactions, Pairs } from '../../src/data/interactions.ts';
import { leaveOneOut, popularity, type Split } from '../../src/data/split.ts';
import { drawValidation } from '../../src/data/validation.ts';
import { source } from './sources.ts';

/** Splits rows of `user,item[,timestamp]` and writes the result with the data's own ids. */
async function split(rows: string, options?: { validation: boolean }) {
  const interactions = await readInteractions(source('data.csv', rows.replaceAll(' ', '\n')));
  const { train, test, validation, untested } = leaveOneOut(interactions, options);
  const { userIds, itemIds } = interactions;
  const named = ({ users, items }: Pairs) =>
    Array.from(users, (user, row) => userIds.idOf(user) + itemIds.idOf(items[row]));
  return {
    train: Array.from({ length: userIds.size }, (_, user) => {
      const items = train.items.subarray(train.offsets[user], train.offsets[user + 1]);
      return userIds.idOf(user) + Array.from(items, (item) => itemIds.idOf(item)).join('');
    }),
    test: named(test),
    validation: validation && named(validation),
    untested,
  };
}

describe('leave-one-out', () => {
  it('holds out each user’s last interaction by time', async () => {
    expect(await split('a,x,3 b,x,1 a,y,1 a,z,2 b,y,2')).toEqual({
      train: ['ayz', 'bx'],
      test: ['ax', 'by'],
      validation: null,
      untested: 0,
    });
  });

  it('takes the later in the file when times are tied, as a stable sort does', async () => {
    expect((await split('a,x,7 a,y,7 a,z,7 a,w,1')).test).toEqual(['az']);
    expect(await split('a,x,7 a,y,7 a,z,7 a,w,1', { validation: true })).toMatchObject({
      train: ['axw'],
      test: ['az'],
      validation: ['ay'],
    });
  });

  it('follows the file where there are no times', async () => {
    expect((await split('a,x a,y b,y b,z')).test).toEqual(['ay', 'bz']);
  });

  it('keeps a user with a single interaction for training and does not test it', async () => {
    expect(await split('a,x,1 b,x,1 b,y,2')).toMatchObject({ train: ['ax', 'bx'], test: ['by'], untested: 1 });
  });

  it('gives a user with two interactions a test item and no validation item', async () => {
    expect(await split('a,x,1 a,y,2 b,x,1 b,y,2 b,z,3', { validation: true })).toEqual({
      train: ['ax', 'bx'],
      test: ['ay', 'bz'],
      validation: ['by'],
      untested: 0,
    });
  });
});

it('items are ascending within a user, and popularity counts training rows only', async () => {
  const interactions = await readInteractions(source('data.csv', 'b,x\nb,y\nb,z\na,z\na,x\na,y\n'));
  const result = leaveOneOut(interactions);
  expect(result.train).toEqual({ offsets: Uint32Array.of(0, 2, 4), items: Uint32Array.of(0, 1, 0, 2) });
  expect(popularity(result)).toEqual(Uint32Array.of(2, 1, 1));
});

describe('whatever the interactions, their order and their times are,', () => {
  const [USERS, ITEMS] = [5, 7];

  /** Distinct pairs in any order, users without any among them; few different times, or none. */
  const interactions: fc.Arbitrary<Interactions> = fc
    .tuple(
      fc.uniqueArray(fc.nat(USERS * ITEMS - 1)),
      fc.option(fc.array(fc.integer({ min: -2, max: 2 }), { minLength: USERS * ITEMS, maxLength: USERS * ITEMS })),
    )
    .map(([pairs, times]) => ({
      users: Uint32Array.from(pairs, (pair) => Math.floor(pair / ITEMS)),
      items: Uint32Array.from(pairs, (pair) => pair % ITEMS),
      timestamps: times && Float64Array.from(times.slice(0, pairs.length)),
      userIds: identityIds(USERS),
      itemIds: identityIds(ITEMS),
      duplicates: 0,
    }));

  const texts = ({ users, items }: Pairs) => Array.from(users, (user, row) => `${user} ${items[row]}`);

  function trainPairs({ train: { offsets, items } }: Split): string[] {
    return Array.from({ length: USERS }, (_, user) =>
      Array.from(items.subarray(offsets[user], offsets[user + 1]), (item) => `${user} ${item}`),
    ).flat();
  }

  /** In train, validation and test together. */
  const allPairs = (split: Split) =>
    [...trainPairs(split), ...(split.validation ? texts(split.validation) : []), ...texts(split.test)].sort();

  it('each is in one part, a user at most once in those held out, and something of every user is left to train on', () => {
    const property = fc.property(interactions, fc.boolean(), (given, validation) => {
      const result = leaveOneOut(given, { validation });
      expect(allPairs(result)).toEqual(texts(given).sort());
      for (const held of [result.test, result.validation]) {
        if (held) expect([...held.users]).toEqual([...new Set(held.users)].sort((a, b) => a - b));
      }
      expect(new Set(trainPairs(result).map((pair) => pair[0]))).toEqual(new Set(Array.from(given.users, String)));
    });
    fc.assert(property, { seed: 3, numRuns: 300 });
  });

  it('nothing of a user is later than the test item, and but for it nothing later than the validation item', () => {
    const property = fc.property(interactions, (given) => {
      const { test, validation } = leaveOneOut(given, { validation: true });
      const pairs = texts(given);
      const order = pairs
        .map((_, row) => row)
        .sort((a, b) => (given.timestamps ? given.timestamps[a]! - given.timestamps[b]! : 0) || a - b);
      const sorted = order.map((row) => pairs[row]!);
      const lastOf = (user: number, but: readonly string[]) =>
        sorted.findLast((pair) => pair.startsWith(`${user} `) && !but.includes(pair));
      expect(texts(test)).toEqual(Array.from(test.users, (user) => lastOf(user, [])));
      expect(texts(validation!)).toEqual(Array.from(validation!.users, (user) => lastOf(user, texts(test))));
    });
    fc.assert(property, { seed: 4, numRuns: 300 });
  });

  it('validation items that are drawn are training items, and no longer trained on', () => {
    const property = fc.property(interactions, fc.nat(0xffffffff), (given, seed) => {
      const before = leaveOneOut(given);
      const after = drawValidation(before, seed);
      expect(allPairs(after)).toEqual(allPairs(before));
      expect(texts(after.test)).toEqual(texts(before.test));
      expect(new Set(after.validation!.users).size).toBe(after.validation!.users.length);
      expect(new Set(trainPairs(after).map((pair) => pair[0]))).toEqual(
        new Set(trainPairs(before).map((pair) => pair[0])),
      );
    });
    fc.assert(property, { seed: 5, numRuns: 300 });
  });
});
