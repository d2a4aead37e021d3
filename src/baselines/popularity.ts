import { popularity, type Split } from '../data/split.ts';
import type { Candidates } from '../evaluate/candidates.ts';
import { rankBy } from './ranks.ts';

/** Everyone gets the items with the most training interactions: what a model must beat. */
export function popularityRanks(split: Split, candidates: Candidates): Uint32Array {
  const counts = popularity(split);
  return rankBy(candidates, (_, item) => counts[item]!);
}
