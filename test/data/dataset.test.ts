import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../bench/dataset.ts';
import { type Dataset, loadDataset } from '../../src/data/dataset.ts';
import { identityIds, StringIds } from '../../src/data/id-map.ts';
import { DataError } from '../../src/errors.ts';
import { folder, source } from './sources.ts';

const CSV = 'user,item,time\nann,tea,1\nann,jam,2\nann,tea,3\nbob,tea,1\n';

function sizes({ split, interactions, duplicates, lastBy }: Dataset) {
  const { users, items, train, test, untested } = split;
  return {
    users,
    items,
    interactions,
    duplicates,
    train: train.items.length,
    test: test.items.length,
    untested,
    lastBy,
  };
}

it('the bundled set is Online Retail, and all of its users are tested', async () => {
  const dataset = await openDataset('online-retail');
  expect(dataset.name).toBe('online-retail');
  expect(sizes(dataset)).toEqual({
    users: 4074,
    items: 3145,
    interactions: 264_514,
    duplicates: 0,
    train: 264_514 - 4074,
    test: 4074,
    untested: 0,
    lastBy: 'timestamp',
  });
});

it('a file is read by its content and called by its name', async () => {
  const path = folder({ 'shop.txt.gz': gzipSync(CSV) });
  const dataset = await openDataset(join(path, 'shop.txt.gz'));
  expect(dataset.name).toBe('shop.txt');
  expect(sizes(dataset)).toEqual({
    users: 2,
    items: 2,
    interactions: 3,
    duplicates: 1,
    train: 2,
    test: 1,
    untested: 1,
    lastBy: 'timestamp',
  });
  expect(dataset.itemIds.ids).toEqual(['tea', 'jam']);
});

describe('known ids', () => {
  const known = { userIds: new StringIds(['zoe', 'bob']), itemIds: identityIds(3) };
  const read = async (text: string) => loadDataset(source('shop.csv', text), { knownIds: known });

  it('keep their indices, and new ones are appended in the order of the file', async () => {
    const dataset = await read('user,item\nann,tea\nbob,2\nann,0\nbob,jam\nann,2\n');
    expect(dataset.userIds.ids).toEqual(['zoe', 'bob', 'ann']);
    expect(dataset.itemIds.ids).toEqual(['0', '1', '2', 'tea', 'jam']);
    const { train, test, users, items, untested } = dataset.split;
    expect([users, items, untested]).toEqual([3, 5, 1]);
    expect([[...train.offsets], [...train.items]]).toEqual([
      [0, 0, 1, 3],
      [2, 0, 3],
    ]);
    expect([[...test.users], [...test.items]]).toEqual([
      [1, 2],
      [4, 2],
    ]);
  });

  it('stay the caller’s: reading adds none to them', async () => {
    await read('user,item\nann,tea\n');
    expect([known.userIds.ids, known.itemIds.size]).toEqual([['zoe', 'bob'], 3]);
  });

  it('change nothing where they are those of the data', async () => {
    const path = join(folder({ 'shop.csv': CSV }), 'shop.csv');
    const first = await openDataset(path);
    const again = await openDataset(path, { knownIds: first });
    expect(again).toEqual(first);
  });
});

it('columns and validation are passed on', async () => {
  const path = folder({ 'shop.csv': 'a,x,1\na,y,2\na,z,3\n' });
  const columns = { user: 1, item: 2 };
  const { split, lastBy } = await openDataset(join(path, 'shop.csv'), { columns, validation: true });
  expect(split.validation).toEqual({ users: Uint32Array.of(0), items: Uint32Array.of(1) });
  expect(lastBy).toBe('file order');
});

describe('a folder', () => {
  it.each(['ratings.dat', 'u.data', 'ratings.csv', 'interactions.tsv', 'interactions.csv', 'ratings.csv.gz'])(
    'is searched for %s',
    async (name) => {
      const path = folder({ [`shop/${name}`]: name.endsWith('.gz') ? gzipSync(CSV) : CSV, 'shop/items.tsv': 'x\ty\n' });
      const dataset = await openDataset(join(path, 'shop'));
      expect([dataset.name, dataset.interactions]).toEqual(['shop', 3]);
    },
  );

  it('without any of these says what was looked for', async () => {
    const path = folder({ 'shop/items.tsv': '', 'shop/users.csv': '', 'empty/inner/x': '' });
    const known = 'ratings.dat, u.data, ratings.csv, interactions.tsv, interactions.csv';
    const looked = `no data found; looked for *.train.rating, ${known} (each also with .gz) among`;
    const shop = new DataError(`shop: ${looked} items.tsv, users.csv`);
    await expect(openDataset(join(path, 'shop'))).rejects.toThrow(shop);
    await expect(openDataset(join(path, 'empty'))).rejects.toThrow(new DataError(`empty: ${looked} no files`));
    const ncf = '*.train.rating, *.test.rating and *.test.negative (each also with .gz)';
    const message = `shop: no data found; looked for ${ncf} among items.tsv, users.csv`;
    await expect(openDataset(join(path, 'shop'), { format: 'ncf' })).rejects.toThrow(new DataError(message));
  });
});

it('a path that leads nowhere is refused', async () => {
  await expect(openDataset('no/such.csv')).rejects.toThrow(new DataError('no/such.csv: no such file'));
});

// MovieLens may not be redistributed: these run only where somebody has laid the files beside the repository.
describe('MovieLens', () => {
  const SHARED = join(import.meta.dirname, '../../../shared/data');
  const given = (name: string, size: string) => {
    const path = join(SHARED, name);
    const found = existsSync(path);
    return {
      path,
      test: it.skipIf(!found),
      title: `${name}: ${size}${found ? '' : ` (skipped: no ../shared/data/${name})`}`,
    };
  };

  const ml1m = given('ml-1m-ncf', '6,040 users, 3,706 items, the split of the NCF paper');
  ml1m.test(ml1m.title, { timeout: 10_000 }, async () => {
    const dataset = await openDataset(ml1m.path);
    const { users, items, train, test, negatives, untested } = dataset.split;
    expect({ users, items, untested, train: train.items.length, test: test.users.length }).toEqual({
      users: 6040,
      items: 3706,
      untested: 0,
      train: 994_169,
      test: 6040,
    });
    expect(dataset.interactions).toBe(1_000_209);
    const dropped = 6040 * 99 - negatives!.items.length;
    expect(dropped, 'test items among their own negatives').toBe(156);
  });

  const ml100k = given('ml-100k', '943 users, 1,682 items, 100,000 interactions');
  ml100k.test(ml100k.title, async () => {
    expect(sizes(await openDataset(ml100k.path))).toMatchObject({
      users: 943,
      items: 1682,
      interactions: 100_000,
      test: 943,
    });
  });

  const latest = given('ml-latest-small', '610 users, 9,724 items, 100,836 interactions');
  latest.test(latest.title, async () => {
    expect(sizes(await openDataset(latest.path))).toMatchObject({
      users: 610,
      items: 9724,
      interactions: 100_836,
      test: 610,
    });
  });
});
