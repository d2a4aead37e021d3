/** Validation items where a split comes given, and validation items in the place of test items. */
import { below, pcg4d, STREAM } from '../random.ts';
import { Growing } from './growing.ts';
import type { Split } from './split.ts';

/**
 * Holds out one training item a user, drawn by the seed: a split that comes given says nothing of which came last. Users
 * with a single training item keep it.
 */
export function drawValidation(split: Split, seed: number): Split {
  const { offsets, items } = split.train;
  const words = new Uint32Array(4);
  const held = { users: new Growing(Uint32Array), items: new Growing(Uint32Array) };
  const left = { offsets: new Uint32Array(split.users + 1), items: new Growing(Uint32Array) };
  for (let user = 0; user < split.users; user++) {
    const own = items.subarray(offsets[user], offsets[user + 1]);
    const drawn = own.length < 2 ? -1 : below(pcg4d(words, seed, STREAM.validation, user, 0)[0], own.length);
    if (drawn >= 0) {
      held.users.push(user);
      held.items.push(own[drawn]);
    }
    own.forEach((item, at) => {
      if (at !== drawn) left.items.push(item);
    });
    left.offsets[user + 1] = left.items.length;
  }
  return {
    ...split,
    train: { offsets: left.offsets, items: left.items.toArray() },
    validation: { users: held.users.toArray(), items: held.items.toArray() },
  };
}

/** The same split with its validation items to be tested, and the test items held out beside them. */
export function validationAsTest(split: Split): Split {
  const test = split.validation ?? { users: new Uint32Array(), items: new Uint32Array() };
  return { ...split, test, validation: split.test, negatives: null, untested: split.users - test.users.length };
}
