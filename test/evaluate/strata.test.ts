import { expect, it } from 'vitest';
import { strataOf } from '../../src/evaluate/strata.ts';
import { splitOf } from '../train/fixture.ts';

/** Users who each take so many of the items in training, and hold out one more. */
function splitWith(interactions: readonly number[]) {
  const users = Math.max(...interactions);
  const rows = interactions.flatMap((count, item) =>
    Array.from({ length: count }, (_, user): [number, number] => [user, item]),
  );
  const heldOut = Array.from({ length: users }, (_, user): [number, number] => [user, interactions.length]);
  return splitOf([...rows, ...heldOut], users, interactions.length + 1);
}

it.each<[string, number[], number[]]>([
  // A third of 12 interactions is 4: above item 0 there are none, above item 1 there are 4, above 2 and 3 7, above 4 11.
  ['by the share of interactions with more popular items', [4, 3, 2, 2, 1], [0, 1, 1, 1, 2]],
  ['whatever the order of the items', [1, 2, 4, 2, 3], [2, 1, 0, 1, 1]],
  ['and equals stay together', [2, 2, 2], [0, 0, 0]],
  ['with the most popular item in the head, however popular', [20, 1, 1], [0, 2, 2]],
])('strata are %s', (_, interactions, strata) => {
  // The last item is only held out: nobody has it in training, so it is in the tail.
  expect([...strataOf(splitWith(interactions))]).toEqual([...strata, 2]);
});
