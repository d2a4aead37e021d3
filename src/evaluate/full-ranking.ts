import { Clock } from '../autograd/clock.ts';
import { record, type Tape, tensor, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { seenItems } from '../data/seen.ts';
import type { Split } from '../data/split.ts';
import { ConfigError, DataError } from '../errors.ts';
import { checkBindable, type Gpu } from '../gpu/device.ts';
import type { Plan } from '../gpu/plan.ts';
import { type ChunkSize, maskSeen, rankItems, topK, topSpansLength } from '../kernels/catalogue.ts';
import type { View } from '../kernels/launch.ts';
import { logitOf } from '../kernels/pairs.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';
import { type Catalogue, catalogue } from '../models/catalogue.ts';
import type { Model } from '../models/model.ts';
import { type Chunks, runChunks } from './chunks.ts';

/** The best unseen items of some users, in descending order, ties by the lower item. */
export interface TopItems {
  /** u32[users × k]; NO_CANDIDATE where a user has fewer unseen items than k. */
  readonly items: Uint32Array<ArrayBuffer>;
  /** f32[users × k]: their logits; what is not a number comes last, and −∞ stands where there is no item. */
  readonly logits: Float32Array<ArrayBuffer>;
}

interface Scoring {
  readonly chunks: Chunks;
  /** Frees all that the chunks work on. */
  dispose(): void;
}

/** Appends what is done with a chunk's keys, seen items masked. */
type Behind = (plan: Plan, views: Record<'step' | 'heldOut' | 'keys', View>, size: ChunkSize) => void;

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
  readonly #ranks: Tensor;
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
    this.#ranks = zeros(gpu, [users.length], { dtype: 'u32', label: 'ranks' });
    this.#chunks = this.#score(users, items, (plan, views, size) => {
      rankItems(plan, { ...views, ranks: this.#ranks.view }, size);
    }).chunks;
  }

  async compile(): Promise<void> {
    await Promise.all([this.#chunks.prepare.compile(), this.#chunks.scoreChunk.compile()]);
  }

  /** The rank of each held-out item by the weights of the moment, 0 for the best. */
  async ranks(): Promise<Uint32Array<ArrayBuffer>> {
    this.#ranks.write(new Uint32Array(this.#ranks.size));
    await runChunks(this.#gpu, this.#chunks);
    return (await this.#ranks.data()) as Uint32Array<ArrayBuffer>;
  }

  /**
   * The k best items of each user that the user has not interacted with in training or validation, by the weights of the
   * moment; an item held out for the test is as good as any other. Throws ConfigError for users or a k that cannot be.
   */
  async topK(users: Uint32Array, k: number): Promise<TopItems> {
    const gpu = this.#gpu;
    if (!Number.isInteger(k) || k < 1) throw new ConfigError(`top ${k}: an integer of at least 1 would be right`);
    const unknown = users.find((user) => user >= this.#split.users);
    if (unknown !== undefined) {
      throw new ConfigError(`user number ${unknown}: a number below ${this.#split.users} would be right`);
    }
    if (users.length === 0) return { items: new Uint32Array(0), logits: new Float32Array(0) };
    checkBindable(gpu, `the ${k} best items of ${users.length} users`, 8 * users.length * k);
    let best!: Tensor;
    const { chunks, dispose } = this.#score(
      users,
      new Uint32Array(users.length).fill(NO_CANDIDATE),
      (plan, { step, keys }, size) => {
        best = zeros(gpu, [2 * users.length * k], { dtype: 'u32', label: 'best items' });
        const spans = zeros(gpu, [2 * topSpansLength(size, k)], { label: 'best items of spans' }).view;
        topK(plan, { step, keys, spans, best: best.view }, size, k);
      },
    );
    const pairs = await runChunks(gpu, chunks)
      .then(() => best.data())
      .finally(dispose);
    const [items, logits] = [new Uint32Array(users.length * k), new Float32Array(users.length * k)];
    for (let i = 0; i < items.length; i++) {
      const [key, item] = [pairs[2 * i]!, pairs[2 * i + 1]!];
      items[i] = item;
      logits[i] = item === NO_CANDIDATE ? Number.NEGATIVE_INFINITY : logitOf(key);
    }
    return { items, logits };
  }

  #score(users: Uint32Array, heldOut: Uint32Array, behind: Behind): Scoring {
    const gpu = this.#gpu;
    const { items } = this.#split;
    const seen = seenItems(this.#split, users);
    checkBindable(gpu, `the items that ${users.length} users have seen`, 4 * seen.items.length);
    const tapes: Tape[] = [];
    let clock!: Clock;
    let scores!: Catalogue;
    const prepare = record(gpu, 'users and items for scoring', (tape) => {
      tapes.push(tape);
      clock = new Clock(gpu);
      const ids = tensor(gpu, users as Uint32Array<ArrayBuffer>, { label: 'tested users' });
      scores = catalogue(this.#model, ids, this.#pairs);
    });
    const size = { users: scores.chunk, items, tested: users.length };
    checkBindable(gpu, `the scores of ${size.users} users and ${items} items`, 4 * size.users * items);
    const scoreChunk = record(gpu, 'full ranking', (tape) => {
      tapes.push(tape);
      const { plan } = tape;
      const list = (label: string, values: Uint32Array) =>
        tensor(gpu, values as Uint32Array<ArrayBuffer>, { label }).view;
      const keys = zeros(gpu, [size.users, items], { dtype: 'u32', label: 'scores' });
      scores.score(clock.step, keys);
      const views = { step: clock.step.view, heldOut: list('held-out items', heldOut), keys: keys.view };
      const lists = { offsets: list('offsets of seen items', seen.offsets), seenItems: list('seen items', seen.items) };
      maskSeen(plan, { ...views, ...lists }, size);
      behind(plan, views, size);
      clock.advance(keys);
    });
    const chunks = { clock, count: Math.ceil(users.length / size.users), prepare, scoreChunk };
    return {
      chunks,
      dispose() {
        for (const tape of tapes) tape.dispose();
      },
    };
  }
}
