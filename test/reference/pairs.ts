/** Reference of scoring users with all items. */
import type { Numbers } from './elementwise.ts';

/** What stands for no item. */
const NONE = 0xffffffff;

/**
 * How many of the user's unseen items are not scored below the held-out one: ties and anything that is not a number count
 * against the model. The held-out item is never masked.
 */
export function fullRank(logits: Numbers, heldOut: number, seen: ReadonlySet<number>): number {
  let rank = 0;
  for (let item = 0; item < logits.length; item++) {
    if (item !== heldOut && !seen.has(item) && !(logits[item]! < logits[heldOut]!)) rank++;
  }
  return rank;
}

/** The k best unseen items, ties by the lower one, what is not a number last; NONE where there are fewer. */
export function topItems(logits: Numbers, seen: ReadonlySet<number>, k: number): number[] {
  const value = (item: number) => (Number.isNaN(logits[item]!) ? Number.NEGATIVE_INFINITY : logits[item]!);
  const order = Array.from({ length: logits.length }, (_, item) => item)
    .filter((item) => !seen.has(item))
    .sort((a, b) => (value(a) === value(b) ? a - b : value(b) - value(a)));
  return Array.from({ length: k }, (_, j) => order[j] ?? NONE);
}
