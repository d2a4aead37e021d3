import { joinLists } from './item-lists.ts';
import type { ItemLists, Split } from './split.ts';

/** What each of the users has interacted with in training and validation: lists back to back, one a user. */
export function seenItems({ train, validation }: Split, users: Uint32Array): ItemLists {
  const validated = new Map(Array.from(validation?.users ?? [], (user, i) => [user, validation!.items[i]!]));
  const lists = Array.from(users, (user) => {
    const items = train.items.subarray(train.offsets[user], train.offsets[user + 1]);
    const more = validated.get(user);
    return more === undefined ? items : [...items, more];
  });
  return joinLists(lists);
}
