/** Lists of items back to back. */
import type { ItemLists } from './split.ts';

export function joinLists(lists: readonly ArrayLike<number>[]): ItemLists {
  const offsets = new Uint32Array(lists.length + 1);
  lists.forEach((list, i) => {
    offsets[i + 1] = offsets[i] + list.length;
  });
  const items = new Uint32Array(offsets[lists.length]);
  lists.forEach((list, i) => {
    items.set(list, offsets[i]);
  });
  return { offsets, items };
}

/** Some of the lists, in the given order. */
export function pickLists({ offsets, items }: ItemLists, lists: Uint32Array): ItemLists {
  return joinLists(Array.from(lists, (list) => items.subarray(offsets[list], offsets[list + 1])));
}

/** The lists from one to another. */
export function sliceLists({ offsets, items }: ItemLists, from: number, to: number): ItemLists {
  const first = offsets[from]!;
  return {
    offsets: Uint32Array.from(offsets.subarray(from, to + 1), (offset) => offset - first),
    items: items.subarray(first, offsets[to]),
  };
}

/** So many lists, all empty. */
export const emptyLists = (count: number): ItemLists => joinLists(Array.from({ length: count }, () => []));

/** How many lists each item is in: [items]. */
export function countItems({ items: listed }: ItemLists, items: number): Uint32Array {
  const counts = new Uint32Array(items);
  for (const item of listed) counts[item]++;
  return counts;
}

/** The items by their counts, the most popular first, of equals the lower one. */
export function byPopularity(counts: Uint32Array): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(counts.keys()).sort((a, b) => counts[b] - counts[a] || a - b);
}
