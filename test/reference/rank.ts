/** Reference of leave-one-out ranking. */
import { NO_CANDIDATE } from '../../src/kernels/rank.ts';

/**
 * How many candidates are not scored below candidate 0, the held-out item: ties and anything that is not a number count
 * against the model, and places without a candidate do not count.
 */
export function rank(candidates: readonly number[], logits: readonly number[]): number {
  const heldOut = logits[0]!;
  return candidates.filter((item, c) => c > 0 && item !== NO_CANDIDATE && !(logits[c]! < heldOut)).length;
}
