import { histories } from '../data/histories.ts';
import type { Ids } from '../data/id-map.ts';
import { countItems, emptyLists, joinLists, pickLists } from '../data/item-lists.ts';
import type { ItemLists } from '../data/split.ts';
import { ConfigError, DataError } from '../errors.ts';
import { bestCandidates } from '../evaluate/best-candidates.ts';
import { bestItems } from '../evaluate/best-items.ts';
import type { TopItems } from '../evaluate/top-items.ts';
import type { Gpu } from '../gpu/device.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';
import { embeddings } from '../models/embeddings.ts';
import { Model } from '../models/model.ts';
import { decodeSafetensors } from '../models/safetensors.ts';
import { loadWeights } from '../models/weights.ts';
import { checkpointInfo } from '../train/checkpoint.ts';
import { modelConfig, resolveSettings } from '../train/settings.ts';
import type { Trainer } from '../train/trainer.ts';
import { foldIn } from './fold-in.ts';
import { indicesOf } from './known-ids.ts';
import { nearestRows } from './nearest.ts';
import { popularItems } from './popular-items.ts';
import type { FoldedIn, Interacted, Neighbour, Recommendation, RecommenderOptions, RecommendOptions } from './types.ts';

/** Recommendations where no other number is asked for. */
const DEFAULT_K = 10;

/**
 * Recommends with a trained model, in the ids of the data. Users are scored with all items on the device, a chunk of users
 * after the other; only the best come back. What a user has interacted with, in training or held out, is not recommended.
 */
export class Recommender {
  readonly gpu: Gpu;
  readonly model: Model;
  readonly ids: Ids;
  readonly name: string;
  readonly #names: ReadonlyMap<string, string>;
  /** A list a user; null without a data set. */
  readonly #seen: ItemLists | null;

  /**
   * @param bytes a checkpoint, as `encodeCheckpoint` gives it: model, settings and ids come from there
   * Throws DataError for a file that is none, ConfigError or GpuError for a model that the adapter cannot hold.
   */
  static open(gpu: Gpu, bytes: Uint8Array<ArrayBuffer>, options: RecommenderOptions = {}): Recommender {
    const name = options.name ?? 'the checkpoint';
    const { settings, userIds, itemIds } = checkpointInfo(bytes, name);
    const model = new Model(gpu, modelConfig(resolveSettings(settings), userIds.size, itemIds.size));
    loadWeights(model, decodeSafetensors(bytes, name).tensors, name);
    return new Recommender(model, { userIds, itemIds }, { ...options, name });
  }

  /** The model that a trainer is training, with the weights of the moment. @param dataset what it was made with */
  static of(trainer: Trainer, dataset: Interacted, options: RecommenderOptions = {}): Recommender {
    return new Recommender(trainer.model, dataset, { dataset, ...options });
  }

  constructor(model: Model, ids: Ids, { name = 'the model', dataset, names = new Map() }: RecommenderOptions = {}) {
    this.gpu = model.parameters.gpu;
    this.model = model;
    this.ids = { userIds: ids.userIds, itemIds: ids.itemIds };
    this.name = name;
    this.#names = names;
    this.#seen = dataset ? histories(dataset, this.ids) : null;
  }

  /**
   * The best items for one user, or for each of several, best first, ties by the item that came first in the data.
   * Throws DataError for ids that the model does not know, and when it was given no data set to leave out what users have
   * seen; ConfigError for a k that cannot be.
   */
  recommend(user: string, options?: RecommendOptions): Promise<Recommendation[]>;
  recommend(users: readonly string[], options?: RecommendOptions): Promise<Recommendation[][]>;
  async recommend(
    users: string | readonly string[],
    options: RecommendOptions = {},
  ): Promise<Recommendation[] | Recommendation[][]> {
    if (typeof users === 'string') return (await this.recommend([users], options))[0]!;
    const rows = indicesOf(users, this.ids.userIds, 'user', this.name);
    const seen = options.includeSeen ? emptyLists(rows.length) : pickLists(this.#histories, rows);
    return this.#lists(await this.#best(this.model, rows, seen, options), rows.length);
  }

  /**
   * The best of each user's own candidates, best first: nothing else is scored, and nothing is left out.
   * @param candidates a list of item ids for each of the users
   * Throws DataError for ids that the model does not know, ConfigError for a k that cannot be.
   */
  async rank(
    users: readonly string[],
    candidates: readonly (readonly string[])[],
    k = DEFAULT_K,
  ): Promise<Recommendation[][]> {
    const rows = indicesOf(users, this.ids.userIds, 'user', this.name);
    const lists = joinLists(candidates.map((ids) => [...new Set(this.#itemsOf(ids))].sort((a, b) => a - b)));
    return this.#lists(await bestCandidates(this.gpu, this.model, rows, lists, this.#most(k)), rows.length);
  }

  /** The items most like one, by the cosines of what the model knows of them (`embeddings`). Errors as `recommend`. */
  async similarItems(item: string, k = DEFAULT_K): Promise<Neighbour[]> {
    const [row] = this.#itemsOf([item]);
    const { items, logits } = await nearestRows(this.gpu, () => embeddings(this.model, 'items'), row!, this.#most(k));
    return present(items).map((other, i) => ({ ...this.#named(other, 'id'), cosine: logits[i]! }));
  }

  /** The users most like one, by the cosines of what the model knows of them (`embeddings`). Errors as `recommend`. */
  async similarUsers(user: string, k = DEFAULT_K): Promise<Neighbour[]> {
    const { userIds } = this.ids;
    const [row] = indicesOf([user], userIds, 'user', this.name);
    const most = Math.min(checkedK(k), userIds.size);
    const { items, logits } = await nearestRows(this.gpu, () => embeddings(this.model, 'users'), row!, most);
    return present(items).map((other, i) => ({ id: userIds.idOf(other), cosine: logits[i]! }));
  }

  /**
   * Recommends for a user whom the model does not know, from the items that this user has taken: the user's embeddings are
   * solved on the device, with everything else as it is (see FOLD_IN). A list without an item that the model knows gets the
   * most popular items, and `source` says so; that needs a data set. Errors as `recommend`.
   */
  async foldIn(items: readonly string[], options: RecommendOptions = {}): Promise<FoldedIn> {
    const indices = items.map((id) => this.ids.itemIds.indexOf(id));
    const unknown = items.filter((_, i) => indices[i] === undefined);
    const history = Uint32Array.from(new Set(indices.filter((index) => index !== undefined))).sort();
    if (history.length === 0) {
      const best = popularItems(this.#histories, this.#allowed(options), this.#most(options.k));
      return { source: 'popularity', unknown, recommendations: this.#lists(best, 1)[0]! };
    }
    const model = await foldIn(this.gpu, this.model, history);
    const seen = options.includeSeen ? emptyLists(1) : joinLists([history]);
    const best = await this.#best(model, Uint32Array.of(0), seen, options);
    return { source: 'model', unknown, recommendations: this.#lists(best, 1)[0]! };
  }

  /** What the model knows of each item or user (`embeddings`), a row each in the order of the ids: f32[rows, dim]. */
  async vectors(of: 'items' | 'users'): Promise<{ dim: number; values: Float32Array<ArrayBuffer> }> {
    const table = embeddings(this.model, of);
    return { dim: table.shape[1]!, values: (await table.data()) as Float32Array<ArrayBuffer> };
  }

  /** How many users have taken each item: u32[items]; null where it was given no data set. */
  get popularity(): Uint32Array | null {
    return this.#seen && countItems(this.#seen, this.ids.itemIds.size);
  }

  /** The title that it was given for an item; undefined where it has none. */
  nameOf(item: string): string | undefined {
    return this.#names.get(item);
  }

  #best(model: Model, rows: Uint32Array, seen: ItemLists, options: RecommendOptions): Promise<TopItems> {
    const { k, exclude, candidates } = options;
    const allowed = exclude || candidates ? this.#allowed(options) : undefined;
    return bestItems(this.gpu, model, rows, this.#most(k), { seen, allowed });
  }

  /** u32[items], 0 for those that the options leave out. */
  #allowed({ exclude = [], candidates }: RecommendOptions): Uint32Array {
    const allowed = new Uint32Array(this.ids.itemIds.size).fill(candidates ? 0 : 1);
    for (const item of this.#itemsOf(candidates ?? [])) allowed[item] = 1;
    for (const item of this.#itemsOf(exclude)) allowed[item] = 0;
    return allowed;
  }

  /** A list a user. Throws DataError without a data set. */
  get #histories(): ItemLists {
    if (this.#seen) return this.#seen;
    throw new DataError(
      `${this.name}: what users have seen is not known; the data set, or including what they have seen, would be right`,
    );
  }

  #itemsOf(ids: readonly string[]): Uint32Array {
    return indicesOf(ids, this.ids.itemIds, 'item', this.name);
  }

  /** k, but no more than there are items. */
  #most(k = DEFAULT_K): number {
    return Math.min(checkedK(k), this.ids.itemIds.size);
  }

  #named<K extends string>(item: number, key: K) {
    const id = this.ids.itemIds.idOf(item);
    const name = this.#names.get(id);
    return { [key]: id, ...(name === undefined ? {} : { name }) } as Record<K, string> & { name?: string };
  }

  #lists({ items, logits }: TopItems, users: number): Recommendation[][] {
    const k = items.length / users;
    return Array.from({ length: users }, (_, user) => {
      const own = present(items.subarray(user * k, (user + 1) * k));
      return own.map((item, i) => {
        const logit = logits[user * k + i]!;
        return { ...this.#named(item, 'item'), score: 1 / (1 + Math.exp(-logit)), logit };
      });
    });
  }
}

/** The items before the first place that holds none. */
function present(items: Uint32Array): number[] {
  const end = items.indexOf(NO_CANDIDATE);
  return Array.from(end < 0 ? items : items.subarray(0, end));
}

function checkedK(k: number): number {
  if (Number.isInteger(k) && k >= 1) return k;
  throw new ConfigError(`k ${k}: an integer of at least 1 would be right`);
}
