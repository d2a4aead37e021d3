import { groupRows } from '../data/group.ts';
import type { ItemLists } from '../data/split.ts';

/**
 * Gives what counts the users that items have in common, one item at a time: a row of XᵀX, X the users × items matrix
 * of ones and zeros. Σ |history|² additions for all items together.
 */
export function coOccurrences(
  { offsets, items: listed }: ItemLists,
  items: number,
): (item: number, counts: Uint32Array | Float64Array) => void {
  const owners = new Uint32Array(listed.length);
  for (let user = 0; user + 1 < offsets.length; user++) owners.fill(user, offsets[user], offsets[user + 1]);
  const takers = groupRows(listed, items);
  return (item, counts) => {
    counts.fill(0);
    for (let taker = takers.offsets[item]; taker < takers.offsets[item + 1]; taker++) {
      const user = owners[takers.rows[taker]];
      for (let at = offsets[user]; at < offsets[user + 1]; at++) counts[listed[at]]++;
    }
  };
}
