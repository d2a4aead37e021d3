/** What a recommender is asked, and what it answers. */
import type { Dataset } from '../data/dataset.ts';

/** Of a data set, what recommending needs. */
export type Interacted = Pick<Dataset, 'split' | 'userIds' | 'itemIds'>;

export interface RecommenderOptions {
  /** What errors call the model; default "the model". */
  readonly name?: string;
  /** The users' interactions: what they have seen, and how popular items are. */
  readonly dataset?: Interacted | undefined;
  /** Items' names by their ids, as `readTitles` gives them. */
  readonly names?: ReadonlyMap<string, string> | undefined;
}

export interface RecommendOptions {
  /** How many items; default 10. There are fewer where fewer are left. */
  readonly k?: number | undefined;
  /** Items that nobody is recommended. */
  readonly exclude?: readonly string[] | undefined;
  /** The only items that are recommended; default all. */
  readonly candidates?: readonly string[] | undefined;
  /** Also recommends what a user has interacted with; default false. */
  readonly includeSeen?: boolean | undefined;
}

export interface Recommendation {
  readonly item: string;
  /** Where the recommender was given names and has one. */
  readonly name?: string;
  /**
   * σ(logit): the probability of an interaction, as the training with its negatives has it; it orders as logits do. Of a model
   * trained by the softmax within the batch, which fixes logits only up to a constant, it does no more than that.
   */
  readonly score: number;
  readonly logit: number;
}

export interface Neighbour {
  readonly id: string;
  /** Of items, where the recommender was given names and has one. */
  readonly name?: string;
  /** Cosine of the embeddings, from −1 to 1. */
  readonly cosine: number;
}

export interface FoldedIn {
  /** `popularity`: the list held no item that the model knows, so that the most popular ones are recommended. */
  readonly source: 'model' | 'popularity';
  /** Ids of the list that the model does not know; they had no part in it. */
  readonly unknown: readonly string[];
  readonly recommendations: readonly Recommendation[];
}
