import { Clock } from '../autograd/clock.ts';
import { record, type Tape, tensor, zeros } from '../autograd/tape.ts';
import type { ItemLists } from '../data/split.ts';
import { checkBindable, type Gpu } from '../gpu/device.ts';
import type { Plan } from '../gpu/plan.ts';
import { type ChunkSize, maskItems, maskSeen } from '../kernels/catalogue.ts';
import type { View } from '../kernels/launch.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';
import { type Catalogue, catalogue } from '../models/catalogue.ts';
import type { Model } from '../models/model.ts';
import type { Chunks } from './chunks.ts';

/** What is left out of the scores of some users with all items. */
export interface Masks {
  /** A list a user, of items that only this user is not scored with. */
  readonly seen: ItemLists;
  /** u32[users]: items that are scored although seen. */
  readonly heldOut?: Uint32Array | undefined;
  /** u32[items], 0 for items that nobody is scored with, else 1. */
  readonly allowed?: Uint32Array | undefined;
}

export interface Scoring {
  readonly chunks: Chunks;
  /** Frees all that the chunks work on. */
  dispose(): void;
}

/** Appends what is done with a chunk's keys, masks applied. */
export type Behind = (plan: Plan, views: Record<'step' | 'heldOut' | 'keys', View>, size: ChunkSize) => void;

/**
 * Scores users with all items, a chunk of users after the other; what is kept of a chunk's scores is up to `behind`.
 * @param users u32[users], rows of the model's tables
 * @param pairs users × items scored together at most; see catalogue
 * Throws ConfigError when lists do not fit the adapter's limits.
 */
export function scoreUsers(
  gpu: Gpu,
  model: Model,
  users: Uint32Array,
  { seen, heldOut = new Uint32Array(users.length).fill(NO_CANDIDATE), allowed }: Masks,
  behind: Behind,
  pairs?: number,
): Scoring {
  const { items } = model.config;
  checkBindable(gpu, `the items that ${users.length} users have seen`, 4 * seen.items.length);
  const tapes: Tape[] = [];
  let clock!: Clock;
  let scores!: Catalogue;
  const prepare = record(gpu, 'users and items for scoring', (tape) => {
    tapes.push(tape);
    clock = new Clock(gpu);
    const ids = tensor(gpu, users as Uint32Array<ArrayBuffer>, { label: 'tested users' });
    scores = catalogue(model, ids, pairs);
  });
  const size = { users: scores.chunk, items, tested: users.length };
  checkBindable(gpu, `the scores of ${size.users} users and ${items} items`, 4 * size.users * items);
  const scoreChunk = record(gpu, 'scores of all items', (tape) => {
    tapes.push(tape);
    const { plan } = tape;
    const list = (label: string, values: Uint32Array) =>
      tensor(gpu, values as Uint32Array<ArrayBuffer>, { label }).view;
    const keys = zeros(gpu, [size.users, items], { dtype: 'u32', label: 'scores' });
    scores.score(clock.step, keys);
    const views = { step: clock.step.view, heldOut: list('held-out items', heldOut), keys: keys.view };
    const lists = { offsets: list('offsets of seen items', seen.offsets), seenItems: list('seen items', seen.items) };
    maskSeen(plan, { ...views, ...lists }, size);
    if (allowed) maskItems(plan, { allowed: list('allowed items', allowed), keys: keys.view }, size);
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
