import type { Candidates } from '../evaluate/candidates.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';

/** Ranks of the held-out items by any score, on the CPU; ties count against the scorer, as for the models. */
export function rankBy(
  { users, items, width }: Candidates,
  score: (user: number, item: number) => number,
): Uint32Array {
  return Uint32Array.from(users, (user, row) => {
    const list = items.subarray(row * width, (row + 1) * width);
    const heldOut = score(user, list[0]!);
    let rank = 0;
    for (let c = 1; c < width; c++) {
      if (list[c] !== NO_CANDIDATE && score(user, list[c]!) >= heldOut) rank++;
    }
    return rank;
  });
}
