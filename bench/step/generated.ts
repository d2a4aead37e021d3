import type { Split } from '../../src/data/split.ts';
import { Draws } from '../kernels/draws.ts';

/** Users and items of a made-up data set, and how many distinct items each user has interacted with. */
export interface Size {
  readonly users: number;
  readonly items: number;
  readonly perUser: number;
}

/** Training interactions by chance: small item numbers are popular (the first tenth has a third of all), users are alike. */
export function generated({ users, items, perUser }: Size, seed = 1): Split {
  const draws = new Draws(seed);
  const offsets = Uint32Array.from({ length: users + 1 }, (_, user) => user * perUser);
  const all = new Uint32Array(users * perUser);
  const taken = new Set<number>();
  for (let user = 0; user < users; user++) {
    taken.clear();
    while (taken.size < perUser) taken.add(Math.floor(items * draws.uniform() ** 2));
    all.set([...taken], user * perUser);
    all.subarray(user * perUser, (user + 1) * perUser).sort();
  }
  const none = { users: new Uint32Array(0), items: new Uint32Array(0) };
  return {
    users,
    items,
    train: { offsets, items: all },
    validation: null,
    test: none,
    negatives: null,
    untested: users,
  };
}

/** How many rows of the users' and of the items' tables a batch of so many samples looks at, on average. */
export function distinctRows(split: Split, rows: number, negatives: number): { users: number; items: number } {
  const { offsets, items } = split.train;
  const seen = (p: number) => 1 - (1 - p) ** rows;
  let users = 0;
  for (let user = 0; user < split.users; user++) users += seen((offsets[user + 1]! - offsets[user]!) / items.length);
  const popularity = new Uint32Array(split.items);
  for (const item of items) popularity[item]!++;
  let distinct = 0;
  for (const count of popularity) distinct += seen((count / items.length + negatives / split.items) / (1 + negatives));
  return { users, items: distinct };
}
