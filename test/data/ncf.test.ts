import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../bench/dataset.ts';
import { loadDataset } from '../../src/data/dataset.ts';
import { type Ids, identityIds, StringIds } from '../../src/data/id-map.ts';
import { DataError } from '../../src/errors.ts';
import { folder, source } from './sources.ts';

const FILES = {
  'tiny.train.rating': '0\t2\t5\t10\n0\t0\t4\t11\n1\t1\t3\t12\n',
  'tiny.test.rating': '0\t1\t5\t20\n1\t3\t4\t21\n',
  'tiny.test.negative': '(0,1)\t3\t4\n(1,3)\t0\t3\t2\n',
};
const load = (files: Record<string, string>, validation = false, knownIds: Ids | null = null) =>
  loadDataset(
    Object.entries(files).map(([name, text]) => source(name, text)),
    { validation, knownIds },
  );

it('the given split is taken as it is, with its dense ids', async () => {
  const dataset = await load(FILES);
  expect(dataset).toMatchObject({ name: 'tiny', interactions: 5, duplicates: 0, lastBy: 'given split' });
  expect(dataset.split).toEqual({
    users: 2,
    items: 5,
    train: { offsets: Uint32Array.of(0, 2, 3), items: Uint32Array.of(0, 2, 1) },
    validation: null,
    test: { users: Uint32Array.of(0, 1), items: Uint32Array.of(1, 3) },
    // Item 3 is the second user's test item: it is dropped from that user's negatives.
    negatives: { offsets: Uint32Array.of(0, 2, 4), items: Uint32Array.of(3, 4, 0, 2) },
    untested: 0,
  });
  expect([dataset.userIds.size, dataset.itemIds.ids, dataset.itemIds.idOf(4)]).toEqual([2, null, '4']);
});

describe('known ids', () => {
  const known = (users: number, items: number) => ({ userIds: identityIds(users), itemIds: identityIds(items) });

  it('of more users and items leave rows without interactions', async () => {
    const { split, userIds, itemIds } = await load(FILES, false, known(4, 6));
    expect([split.users, split.items, userIds.size, itemIds.size, split.untested]).toEqual([4, 6, 4, 6, 2]);
    expect(split.train).toEqual({ offsets: Uint32Array.of(0, 2, 3, 3, 3), items: Uint32Array.of(0, 2, 1) });
  });

  it('of fewer are extended, also by numbers larger than the file has rows', async () => {
    const files = {
      'tiny.train.rating': '100\t2\n100\t0\n',
      'tiny.test.rating': '100\t1\n',
      'tiny.test.negative': '(100,1)\t3\n',
    };
    await expect(load(files)).rejects.toThrow('user ids go up to 100');
    expect((await load(files, false, known(100, 1))).split).toMatchObject({ users: 101, items: 4, untested: 100 });
  });

  it('of other data are refused', async () => {
    const names = { ...known(1, 1), itemIds: new StringIds(['tea']) };
    await expect(load(FILES, false, names)).rejects.toThrow(
      new DataError(
        'tiny.train.rating: NCF files number items, and "tea" is known, an id of other data; that data would be right',
      ),
    );
  });
});

it('two columns do as well as four, pairs that stand twice are joined, and a user may go untested', async () => {
  const files = {
    'tiny.train.rating': '0\t2\n0\t0\n1\t1\n0\t2\n2\t1\n',
    'tiny.test.rating': '0\t1\n1\t3\n',
    'tiny.test.negative': FILES['tiny.test.negative'],
  };
  const { split, interactions, duplicates } = await load(files);
  expect({ interactions, duplicates, untested: split.untested }).toEqual({
    interactions: 6,
    duplicates: 1,
    untested: 1,
  });
  expect(split.train).toEqual({ offsets: Uint32Array.of(0, 2, 3, 4), items: Uint32Array.of(0, 2, 1, 1) });
});

it('folder, common prefix and any of the files lead to the same set, zipped or not', async () => {
  const zipped = Object.entries(FILES).map(([name, text]) => [`zipped/${name}.gz`, gzipSync(text)]);
  const path = folder({ ...FILES, ...Object.fromEntries(zipped), 'zipped/other.test.rating': '0\t0\n' });
  const { split } = await load(FILES);
  for (const way of ['', 'tiny', 'tiny.test.negative', 'zipped/tiny', 'zipped/tiny.train.rating.gz']) {
    expect((await openDataset(join(path, way))).split, way).toEqual(split);
  }
  const message = `NCF files of 2 sets: give one of the prefixes ${path}/zipped/other, ${path}/zipped/tiny`;
  await expect(openDataset(join(path, 'zipped'))).rejects.toThrow(new DataError(message));
});

it('a validation item a user is drawn from the training items by the seed, where two are there', async () => {
  const sources = Object.entries(FILES).map(([name, text]) => source(name, text));
  const { split, interactions } = await loadDataset(sources, { validation: true, seed: 3 });
  expect(interactions).toBe(5);
  const [held] = split.validation!.items;
  expect(split).toEqual({
    ...(await load(FILES)).split,
    train: { offsets: Uint32Array.of(0, 1, 2), items: Uint32Array.of(held === 0 ? 2 : 0, 1) },
    validation: { users: Uint32Array.of(0), items: Uint32Array.of(held!) },
  });
  const drawn = Array.from({ length: 32 }, (_, seed) => loadDataset(sources, { validation: true, seed }));
  const items = (await Promise.all(drawn)).map((dataset) => dataset.split.validation!.items[0]);
  expect(new Set(items)).toEqual(new Set([0, 2]));
});

describe('files that do not fit are refused', () => {
  const change = (role: 'train.rating' | 'test.rating' | 'test.negative', text: string) => ({
    ...FILES,
    [`tiny.${role}`]: text,
  });

  it.each([
    [
      change('test.negative', '(0,1)\t3\n(1,2)\t3\n'),
      'tiny.test.negative:2: the row is for "(1,2)", but row 2 of tiny.test.rating is (1,3)',
    ],
    [change('test.negative', '(0,1)\t3\n'), 'tiny.test.negative: 1 rows, but tiny.test.rating has 2'],
    [
      change('test.negative', `${FILES['tiny.test.negative']}\n(2,2)\t3\n`),
      'tiny.test.negative:4: a row too many; tiny.test.rating has 2',
    ],
    [change('test.negative', '(0,1)\t3\n(1,3)\tx\n'), 'tiny.test.negative:2: item "x" is not a whole number from 0 on'],
    [
      change('test.rating', '0\t1\t5\n'),
      'tiny.test.rating:1: 3 columns; an NCF row is user, item or user, item, rating, timestamp, separated by tabs',
    ],
    [change('train.rating', '0\t2\n-1\t0\n'), 'tiny.train.rating:2: user "-1" is not a whole number from 0 on'],
    [change('train.rating', '0\t2\n0\t\n'), 'tiny.train.rating:2: item "" is not a whole number from 0 on'],
    [change('train.rating', '0\t0x2\n'), 'tiny.train.rating:1: item "0x2" is not a whole number from 0 on'],
    [change('train.rating', '0\t1e0\n'), 'tiny.train.rating:1: item "1e0" is not a whole number from 0 on'],
    [change('train.rating', ''), 'tiny.train.rating: the file is empty'],
    [
      change('train.rating', '4000000000\t2\n'),
      'tiny.train.rating: user ids go up to 4000000000; NCF files number users from 0 without gaps',
    ],
    [{ 'data/tiny.train.rating': '0\t1\n' }, 'data/tiny.test.rating: no such file, and none with .gz'],
  ])('%#: %s', async (files, message) => {
    await expect(load(files)).rejects.toThrow(new DataError(message));
  });
});
