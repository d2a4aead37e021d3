import { byPopularity, countItems } from '../data/item-lists.ts';
import type { ItemLists } from '../data/split.ts';
import type { TopItems } from '../evaluate/top-items.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';

/**
 * The k items that most users have taken, ties by the lower item, with the logit of the share p of users: ln(p / (1 − p)).
 * @param histories a list a user
 * @param allowed u32[items], 0 for items that are left out
 */
export function popularItems(histories: ItemLists, allowed: Uint32Array, k: number): TopItems {
  const users = histories.offsets.length - 1;
  const counts = countItems(histories, allowed.length);
  const order = byPopularity(counts).filter((item) => allowed[item]);
  const items = Uint32Array.from({ length: k }, (_, place) => order[place] ?? NO_CANDIDATE);
  const logits = Float32Array.from(items, (item) =>
    item === NO_CANDIDATE ? Number.NEGATIVE_INFINITY : Math.log(counts[item]! / (users - counts[item]!)),
  );
  return { items, logits };
}
