import type { Recommender } from './recommender.ts';
import type { Recommendation, RecommendOptions } from './types.ts';

/** Items that the first stage hands to the second where no other number is asked for. */
const RETRIEVED = 1000;

export interface TwoStageOptions extends RecommendOptions {
  /** How many items a user's first stage hands on; default 1,000. */
  readonly retrieve?: number | undefined;
}

/**
 * Recommends in two stages: the best items by a model that is quick to score with all items, such as a two-tower model or
 * any other product of embeddings, ranked by one that is better and slower, such as NeuMF. The first stage is exact: the
 * best of all items, on the device. What users have seen is left out by the first stage, whose recommender needs the data.
 * @returns a list for each user, with the scores of the second stage
 * Throws as `recommend` does, DataError too for ids that only one of the two models knows.
 */
export async function retrieveThenRank(
  retriever: Recommender,
  ranker: Recommender,
  users: readonly string[],
  { retrieve = RETRIEVED, k, ...options }: TwoStageOptions = {},
): Promise<Recommendation[][]> {
  const retrieved = await retriever.recommend(users, { ...options, k: retrieve });
  const candidates = retrieved.map((list) => list.map(({ item }) => item));
  return ranker.rank(users, candidates, k);
}
