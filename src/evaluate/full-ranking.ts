import { zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { seenItems } from '../data/seen.ts';
import type { Split } from '../data/split.ts';
import { ConfigError, DataError } from '../errors.ts';
import type { Gpu } from '../gpu/device.ts';
import { rankItems } from '../kernels/catalogue.ts';
import type { Model } from '../models/model.ts';
import { bestItems } from './best-items.ts';
import { type Chunks, compileChunks, readJoined, runChunks } from './chunks.ts';
import { type Behind, scoreUsers } from './scoring.ts';
import type { TopItems } from './top-items.ts';

/**
 * Ranks every tested user's held-out item among all items that the user has not interacted with in training or
 * validation, on the device: users are scored a chunk at a time, and a list of ranks is all that stays.
 */
export class FullRanking {
  /** The protocol's name, to stand beside every figure. */
  readonly protocol = 'leave-one-out, all unseen items, ties against the model';
  readonly #gpu: Gpu;
  readonly #model: Model;
  readonly #split: Split;
  readonly #pairs: number | undefined;
  /** Of each part of the users. */
  readonly #ranks: Tensor[] = [];
  readonly #chunks: Chunks;

  /**
   * @param pairs users × items scored together at most, but 8 users with one item; bounds the memory, changes no result
   * Throws DataError when no user has a held-out item, ConfigError when lists do not fit the adapter's limits.
   */
  constructor(gpu: Gpu, model: Model, split: Split, pairs?: number) {
    const { users, items } = split.test;
    if (users.length === 0) throw new DataError('no user has a held-out item, so there is nothing to rank');
    if (pairs !== undefined && !(Number.isInteger(pairs) && pairs >= 1)) {
      throw new ConfigError(`pairs ${pairs}: an integer of at least 1 would be right`);
    }
    this.#gpu = gpu;
    this.#model = model;
    this.#split = split;
    this.#pairs = pairs;
    const masks = { seen: seenItems(split, users), heldOut: items };
    const countAbove: Behind = (plan, views, size) => {
      const ranks = zeros(gpu, [size.tested], { dtype: 'u32', label: 'ranks' });
      rankItems(plan, { ...views, ranks: ranks.view }, size);
      this.#ranks.push(ranks);
    };
    this.#chunks = scoreUsers(gpu, model, users, masks, countAbove, 1, pairs).chunks;
  }

  async compile(): Promise<void> {
    await compileChunks(this.#chunks);
  }

  /** The rank of each held-out item by the weights of the moment, 0 for the best. */
  async ranks(): Promise<Uint32Array<ArrayBuffer>> {
    for (const ranks of this.#ranks) ranks.write(new Uint32Array(ranks.size));
    await runChunks(this.#gpu, this.#chunks);
    return readJoined(this.#ranks);
  }

  /**
   * The k best items of each user that the user has not interacted with in training or validation, by the weights of the
   * moment; an item held out for the test is as good as any other. Throws ConfigError for users or a k that cannot be.
   */
  async topK(users: Uint32Array, k: number): Promise<TopItems> {
    return bestItems(this.#gpu, this.#model, users, k, { seen: seenItems(this.#split, users) }, this.#pairs);
  }
}
