import { popularity, type Split } from '../data/split.ts';
import type { Scorer } from './ranks.ts';

/** Everyone gets the items with the most training interactions: what a model must beat. */
export function popularityScorer(split: Split): Scorer {
  const counts = popularity(split);
  return (_, items) => items.map((item) => counts[item]!);
}
