/** What is trained on and what is tested. */

import { groupRows } from './group.ts';
import { Growing } from './growing.ts';
import { type Interactions, type Pairs, pick } from './interactions.ts';
import { countItems } from './item-lists.ts';

/** Lists of items back to back (CSR): list i is items[offsets[i]] … items[offsets[i + 1] − 1]. */
export interface ItemLists {
  /** [lists + 1]. */
  readonly offsets: Uint32Array;
  readonly items: Uint32Array;
}

export interface Split {
  readonly users: number;
  readonly items: number;
  /** A list a user, ascending and distinct. */
  readonly train: ItemLists;
  /** One held-out item a user, for early stopping and model selection; null when none was asked for. */
  readonly validation: Pairs | null;
  /** One held-out item a user; users without any are absent. */
  readonly test: Pairs;
  /** A list a row of `test`, where the data brings its own negatives; the lists may differ in length. */
  readonly negatives: ItemLists | null;
  /** Users without a test item. */
  readonly untested: number;
}

/**
 * Leave-one-out: a user's last interaction by (timestamp, then file order) is the test item, and with `validation` the
 * one before it the validation item. Something always stays for training: a user with a single interaction is not
 * tested, and one with two has no validation item.
 */
export function leaveOneOut(interactions: Interactions, { validation = false } = {}): Split {
  const { timestamps, userIds, itemIds } = interactions;
  const { offsets, rows } = groupRows(interactions.users, userIds.size);
  const heldOut = new Uint8Array(rows.length);
  const testRows = new Growing(Uint32Array);
  const validationRows = new Growing(Uint32Array);

  function holdOutLast(userRows: Uint32Array): number {
    let last = -1;
    for (const row of userRows) {
      if (!heldOut[row] && (last < 0 || timestamps === null || timestamps[row] >= timestamps[last])) last = row;
    }
    heldOut[last] = 1;
    return last;
  }

  for (let user = 0; user < userIds.size; user++) {
    const userRows = rows.subarray(offsets[user], offsets[user + 1]);
    if (userRows.length >= 2) testRows.push(holdOutLast(userRows));
    if (userRows.length >= 3 && validation) validationRows.push(holdOutLast(userRows));
  }
  const at = (held: Uint32Array): Pairs => ({
    users: pick(interactions.users, held),
    items: pick(interactions.items, held),
  });
  const trainRows = Uint32Array.from(rows.keys().filter((row) => !heldOut[row]));
  return {
    users: userIds.size,
    items: itemIds.size,
    train: itemsPerUser(at(trainRows), userIds.size),
    validation: validation ? at(validationRows.toArray()) : null,
    test: at(testRows.toArray()),
    negatives: null,
    untested: userIds.size - testRows.length,
  };
}

/** The items of each user, ascending. */
export function itemsPerUser(pairs: Pairs, users: number): ItemLists {
  const { offsets, rows } = groupRows(pairs.users, users);
  const items = pick(pairs.items, rows);
  for (let user = 0; user < users; user++) items.subarray(offsets[user], offsets[user + 1]).sort();
  return { offsets, items };
}

/** Training interactions of each item: [items]. */
export function popularity(split: Split): Uint32Array {
  return countItems(split.train, split.items);
}
