import { type IdMap, type Ids, identityIds, StringIds } from '../data/id-map.ts';
import { DataError } from '../errors.ts';

/** As a file's metadata: a JSON list of ids, or the number of rows whose ids are their indices. */
export function encodeIds({ userIds, itemIds }: Ids): Record<keyof Ids, string> {
  return { userIds: JSON.stringify(userIds.ids ?? userIds.size), itemIds: JSON.stringify(itemIds.ids ?? itemIds.size) };
}

/** The inverse of encodeIds. Throws an error that says what is wrong with the text. */
export function decodeIds({ userIds, itemIds }: Readonly<Record<string, string>>): Ids {
  return { userIds: decode('userIds', userIds), itemIds: decode('itemIds', itemIds) };
}

function decode(key: string, text: string | undefined): IdMap {
  if (text === undefined) throw new Error(`it has no ${key}`);
  const ids: unknown = JSON.parse(text);
  if (Number.isSafeInteger(ids) && (ids as number) >= 0) return identityIds(ids as number);
  if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) {
    const map = new StringIds(ids);
    if (map.size === ids.length) return map;
  }
  throw new Error(`${key} is neither a list of distinct strings nor a count`);
}

/**
 * The rows of the tables must stand for the same users and items, of which there are as many on both sides.
 * @param stored those of the file `name`. Throws DataError, which names the first that differs.
 */
export function checkIds(stored: Ids, own: Ids, name: string): void {
  checkKind('user', stored.userIds, own.userIds, own.userIds.size, name);
  checkKind('item', stored.itemIds, own.itemIds, own.itemIds.size, name);
}

/** The first rows must stand for the users and items of the file `name`; others may follow. Throws DataError. */
export function checkFirstIds(stored: Ids, own: Ids, name: string): void {
  checkKind('user', stored.userIds, own.userIds, stored.userIds.size, name);
  checkKind('item', stored.itemIds, own.itemIds, stored.itemIds.size, name);
}

function checkKind(kind: string, stored: IdMap, own: IdMap, count: number, name: string): void {
  const idAt = (ids: IdMap, index: number) => (index < ids.size ? `"${ids.idOf(index)}"` : 'missing');
  for (let index = 0; index < count; index++) {
    const [there, here] = [idAt(stored, index), idAt(own, index)];
    if (there === here) continue;
    throw new DataError(
      `${name}: its ${kind} number ${index} is ${there}, and this data's is ${here}; the data that it was trained on would be right`,
    );
  }
}
