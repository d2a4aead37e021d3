import type { Split } from '../../src/data/split.ts';
import { Draws } from '../numbers.ts';

/** A split of which only training matters: the items of each user, ascending. */
export function histories(lists: readonly (readonly number[])[], items: number): Split {
  const offsets = new Uint32Array(lists.length + 1);
  lists.forEach((list, user) => {
    offsets[user + 1] = offsets[user] + list.length;
  });
  const none = { users: new Uint32Array(0), items: new Uint32Array(0) };
  return {
    users: lists.length,
    items,
    train: { offsets, items: Uint32Array.from(lists.flat()) },
    validation: null,
    test: none,
    negatives: null,
    untested: lists.length,
  };
}

/** Users who have each item with probability ½ for the first, less for every next; the last item is nobody's. */
export function randomHistories(users: number, items: number, seed: number): number[][] {
  const draws = new Draws(seed);
  const all = [...Array(items).keys()];
  return Array.from({ length: users }, () => all.filter((item) => draws.uniform() < 0.5 * (1 - item / (items - 1))));
}

export const everyItem = ({ items }: Split): Uint32Array => Uint32Array.from({ length: items }, (_, item) => item);
