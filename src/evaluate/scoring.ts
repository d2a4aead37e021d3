import { Clock } from '../autograd/clock.ts';
import { record, type Tape, tensor, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { sliceLists } from '../data/item-lists.ts';
import type { ItemLists } from '../data/split.ts';
import type { Gpu } from '../gpu/device.ts';
import { checkBindable } from '../gpu/limits.ts';
import type { Plan } from '../gpu/plan.ts';
import { type ChunkSize, maskItems, maskSeen } from '../kernels/catalogue.ts';
import type { View } from '../kernels/launch.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';
import { type Catalogue, catalogue, mostUsers } from '../models/catalogue.ts';
import type { Model } from '../models/model.ts';
import { type Chunks, partsOf } from './chunks.ts';

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

/** Appends what is done with a chunk's keys, masks applied; called once for each part of the users. */
export type Behind = (plan: Plan, views: Record<'step' | 'heldOut' | 'keys', View>, size: ChunkSize) => void;

/**
 * Scores users with all items, a chunk of users after the other; what is kept of a chunk's scores is up to `behind`.
 * @param users u32[users], rows of the model's tables
 * @param kept numbers of a user that `behind` keeps in one tensor
 * @param pairs users × items scored together at most; see catalogue
 * Throws ConfigError when lists do not fit the adapter's limits.
 */
export function scoreUsers(
  gpu: Gpu,
  model: Model,
  users: Uint32Array,
  { seen, heldOut = new Uint32Array(users.length).fill(NO_CANDIDATE), allowed }: Masks,
  behind: Behind,
  kept: number,
  pairs?: number,
): Scoring {
  const { items } = model.config;
  const ranges = partsOf(users.length, Math.min(mostUsers(model), gpu.bindingLimit / 4 / kept));
  const lists = ranges.map(({ from, to }) => sliceLists(seen, from, to));
  for (const list of lists) {
    checkBindable(gpu, `the items that ${list.offsets.length - 1} users have seen`, 4 * list.items.length);
  }
  const u32 = (label: string, values: Uint32Array) => tensor(gpu, values as Uint32Array<ArrayBuffer>, { label });
  const tapes: Tape[] = [];
  let clock!: Clock;
  let scores!: Catalogue;
  let keys!: Tensor;
  const prepare = record(gpu, 'users and items for scoring', (tape) => {
    tapes.push(tape);
    clock = new Clock(gpu);
    const ids = ranges.map(({ from, to }) => u32('tested users', users.subarray(from, to)));
    scores = catalogue(model, ids, pairs);
    const { chunk } = scores;
    checkBindable(gpu, `the scores of ${chunk} users and ${items} items`, 4 * chunk * items);
    keys = zeros(gpu, [chunk, items], { dtype: 'u32', label: 'scores' });
  });
  const parts = ranges.map(({ from, to }, i) => {
    const size = { users: scores.chunk, items, tested: to - from };
    const scoreChunk = record(gpu, 'scores of all items', (tape) => {
      tapes.push(tape);
      const { plan } = tape;
      scores.parts[i]!.score(clock.step, keys);
      const held = u32('held-out items', heldOut.subarray(from, to)).view;
      const views = { step: clock.step.view, heldOut: held, keys: keys.view };
      const { offsets, items: own } = lists[i]!;
      const masks = { offsets: u32('offsets of seen items', offsets).view, seenItems: u32('seen items', own).view };
      maskSeen(plan, { ...views, ...masks }, size);
      if (allowed) maskItems(plan, { allowed: u32('allowed items', allowed).view, keys: keys.view }, size);
      behind(plan, views, size);
      clock.advance(keys);
    });
    return { count: Math.ceil(size.tested / size.users), scoreChunk };
  });
  return {
    chunks: { clock, prepare, parts },
    dispose() {
      for (const tape of tapes) tape.dispose();
    },
  };
}
