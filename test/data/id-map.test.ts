import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IdMap, identityIds, StringIds } from '../../src/data/id-map.ts';
import { decodeIds, encodeIds } from '../../src/train/ids.ts';

it('ids get indices in the order of first appearance and keep their spelling', () => {
  const ids = new StringIds(['B000FA64PK', '007', 'B000FA64PK', '7', 'änn 🍵']);
  expect(ids.ids).toEqual(['B000FA64PK', '007', '7', 'änn 🍵']);
  expect(ids.size).toBe(4);
  expect(ids.indexOf('7')).toBe(2);
  expect(ids.indexOf('constructor')).toBeUndefined();
  expect(ids.idOf(1)).toBe('007');
  expect(() => ids.idOf(4)).toThrow(new RangeError('no id has the index 4; the indices are 0 … 3'));
});

it('dense ids are their own indices and store nothing', () => {
  const ids = identityIds(10);
  expect(ids.ids).toBeNull();
  expect(ids.indexOf('9')).toBe(9);
  expect(ids.idOf(9)).toBe('9');
  for (const unknown of ['10', '07', '', '1e0', '-1']) expect(ids.indexOf(unknown)).toBeUndefined();
  expect(() => ids.idOf(-1)).toThrow(RangeError);
});

describe('whatever the ids are, names that objects have by themselves among them,', () => {
  const id = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', 'toString', '', '0'));

  function expectBijection(map: IdMap): void {
    for (let index = 0; index < map.size; index++) expect(map.indexOf(map.idOf(index))).toBe(index);
  }

  it('each has one index, each index one id, and a checkpoint keeps both', () => {
    const property = fc.property(fc.array(id), fc.nat(30), (given, dense) => {
      const ids = { userIds: new StringIds(given), itemIds: identityIds(dense) };
      expect(ids.userIds.ids).toEqual([...new Set(given)]);
      for (const one of given) expect(ids.userIds.idOf(ids.userIds.indexOf(one)!)).toBe(one);
      expectBijection(ids.userIds);
      expectBijection(ids.itemIds);
      const stored = decodeIds(encodeIds(ids));
      expect(stored.userIds.ids).toEqual(ids.userIds.ids);
      expect([stored.itemIds.ids, stored.itemIds.size]).toEqual([null, dense]);
    });
    fc.assert(property, { seed: 1, numRuns: 300 });
  });

  it('ids that come later get the next indices, and leave the others theirs', () => {
    const property = fc.property(fc.array(id), fc.array(id), (before, later) => {
      const map = StringIds.from(new StringIds(before));
      for (const one of later) map.add(one);
      expect(map.ids).toEqual([...new Set([...before, ...later])]);
      expectBijection(map);
    });
    fc.assert(property, { seed: 2, numRuns: 300 });
  });
});
