import { expect, it } from 'vitest';
import { identityIds, StringIds } from '../../src/data/id-map.ts';

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
