import { describe, expect, it } from 'vitest';
import { readInteractions } from '../../src/data/delimited.ts';
import type { Pairs } from '../../src/data/interactions.ts';
import { leaveOneOut, popularity } from '../../src/data/split.ts';
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
