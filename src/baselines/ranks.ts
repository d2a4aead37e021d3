/** Ranks of the held-out items by any score, on the CPU: what the models' protocols are for the baselines. */
import { seenItems } from '../data/seen.ts';
import type { Split } from '../data/split.ts';
import type { Candidates } from '../evaluate/candidates.ts';
import type { Evaluation, Ranks } from '../evaluate/evaluation.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';

/** A user's scores of so many items, the larger the better: [items.length]. The next call may overwrite them. */
export type Scorer = (user: number, items: Uint32Array) => ArrayLike<number>;

/** Under the protocols that the evaluation of a model has. */
export function ranksBy({ split, candidates, protocols }: Evaluation, score: Scorer): Ranks {
  return {
    ...(candidates && { sampled: candidateRanks(candidates, score) }),
    ...(protocols.full && { full: fullRanks(split, score) }),
  };
}

/**
 * Among each user's candidates, 0 for the best: [tested]. Ties, and anything that is not a number, count against the
 * scorer, as for the models.
 */
export function candidateRanks({ users, items, width }: Candidates, score: Scorer): Uint32Array {
  return users.map((user, row) => {
    const list = items.subarray(row * width, (row + 1) * width);
    const missing = list.indexOf(NO_CANDIDATE);
    const scores = score(user, missing < 0 ? list : list.subarray(0, missing));
    const heldOut = scores[0]!;
    let rank = 0;
    for (let c = 1; c < scores.length; c++) if (!(scores[c]! < heldOut)) rank++;
    return rank;
  });
}

/**
 * Among all items that each tested user has not interacted with in training or validation, as `FullRanking` ranks a
 * model: [tested]. One user's scores are held at a time.
 */
export function fullRanks(split: Split, score: Scorer): Uint32Array {
  const { users, items: heldOutItems } = split.test;
  const seen = seenItems(split, users);
  const all = Uint32Array.from({ length: split.items }, (_, item) => item);
  const seenBy = new Uint32Array(split.items); // 1 + the last row whose user has seen the item
  return users.map((user, row) => {
    const heldOut = heldOutItems[row]!;
    for (let at = seen.offsets[row]!; at < seen.offsets[row + 1]!; at++) seenBy[seen.items[at]!] = row + 1;
    const scores = score(user, all);
    let rank = 0;
    for (let item = 0; item < all.length; item++) {
      if (item !== heldOut && seenBy[item] !== row + 1 && !(scores[item]! < scores[heldOut]!)) rank++;
    }
    return rank;
  });
}
