import { zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ConfigError } from '../errors.ts';
import type { Plan } from '../gpu/plan.ts';
import { type ChunkSize, topK, topSpansLength } from '../kernels/catalogue.ts';
import type { View } from '../kernels/launch.ts';
import { logitOf } from '../kernels/pairs.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';
import type { Model } from '../models/model.ts';

/** The best items of some users, in descending order, ties by the lower item. */
export interface TopItems {
  /** u32[users × k]; NO_CANDIDATE where a user has fewer items than k. */
  readonly items: Uint32Array<ArrayBuffer>;
  /** f32[users × k]: their logits; what is not a number comes last, and −∞ stands where there is no item. */
  readonly logits: Float32Array<ArrayBuffer>;
}

/**
 * Appends the choice of each user's k best of a chunk's keys.
 * @returns u32[tested × k, 2], as readTopItems takes it
 */
export function keepTop(plan: Plan, step: View, keys: View, size: ChunkSize, k: number): Tensor {
  const best = zeros(plan.gpu, [size.tested * keptOf(k)], { dtype: 'u32', label: 'best items' });
  const spans = zeros(plan.gpu, [2 * topSpansLength(size, k)], { label: 'best items of spans' }).view;
  topK(plan, { step, keys, spans, best: best.view }, size, k);
  return best;
}

/**
 * What keepTop chose, as items and logits.
 * @param best u32[users × k, 2]: a key and the item's place, NO_CANDIDATE where there is none
 * @param itemAt the item at a place of a user's list
 */
export function readTopItems(
  best: ArrayLike<number>,
  k: number,
  itemAt = (_user: number, place: number) => place,
): TopItems {
  const [items, logits] = [new Uint32Array(best.length / 2), new Float32Array(best.length / 2)];
  for (let i = 0; i < items.length; i++) {
    const [key, place] = [best[2 * i]!, best[2 * i + 1]!];
    const there = place !== NO_CANDIDATE;
    items[i] = there ? itemAt(Math.floor(i / k), place) : NO_CANDIDATE;
    logits[i] = there ? logitOf(key) : Number.NEGATIVE_INFINITY;
  }
  return { items, logits };
}

/** Numbers that keepTop keeps of a user. */
export const keptOf = (k: number) => 2 * k;

/** Throws ConfigError for a k or users that cannot be. */
export function checkTop({ config }: Model, users: Uint32Array, k: number): void {
  if (!Number.isInteger(k) || k < 1) throw new ConfigError(`top ${k}: an integer of at least 1 would be right`);
  const unknown = users.find((user) => user >= config.users);
  if (unknown !== undefined) {
    throw new ConfigError(`user number ${unknown}: a number below ${config.users} would be right`);
  }
}
