import { Growing } from './growing.ts';
import type { IdMap, Ids } from './id-map.ts';
import { type ItemLists, itemsPerUser, type Split } from './split.ts';

/**
 * All that a data set's users have interacted with, training and held out, as the indices that a model's own ids have:
 * a list a user of the model, ascending. Users and items that the model does not know are left out.
 */
export function histories({ split, ...data }: Ids & { readonly split: Split }, model: Ids): ItemLists {
  const [users, items] = [new Growing(Uint32Array), new Growing(Uint32Array)];
  const userOf = translation(data.userIds, model.userIds);
  const itemOf = translation(data.itemIds, model.itemIds);
  const add = (user: number, item: number) => {
    const [knownUser, knownItem] = [userOf[user], itemOf[item]];
    if (knownUser < 0 || knownItem < 0) return;
    users.push(knownUser);
    items.push(knownItem);
  };
  const { offsets, items: trained } = split.train;
  for (let user = 0; user < split.users; user++) {
    for (let at = offsets[user]; at < offsets[user + 1]; at++) add(user, trained[at]);
  }
  for (const heldOut of [split.validation, split.test]) {
    heldOut?.users.forEach((user, row) => {
      add(user, heldOut.items[row]);
    });
  }
  return itemsPerUser({ users: users.toArray(), items: items.toArray() }, model.userIds.size);
}

/** The index in `to` of each id of `from`, −1 where it has none. */
function translation(from: IdMap, to: IdMap): Int32Array {
  return Int32Array.from({ length: from.size }, (_, index) => to.indexOf(from.idOf(index)) ?? -1);
}
