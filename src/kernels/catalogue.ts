/** What is done with a chunk of users' keys of all items (pairs.ts): seen items masked, ranks counted, the best kept. */
import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const maskKernel = defineKernel({
  name: 'mask_seen',
  params: { users: 'u32', items: 'u32', tested: 'u32' },
  bindings: { step: 'read', offsets: 'read', seenItems: 'read', heldOut: 'read', keys: 'write' },
});
const itemsKernel = defineKernel({
  name: 'mask_items',
  params: { users: 'u32', items: 'u32' },
  bindings: { allowed: 'read', keys: 'write' },
});
const rankKernel = defineKernel({
  name: 'rank_items',
  params: { users: 'u32', items: 'u32', tested: 'u32', span: 'u32' },
  bindings: { step: 'read', heldOut: 'read', keys: 'read', ranks: 'write' },
});
const topKernel = defineKernel({
  name: 'top_k',
  params: { rows: 'u32', width: 'u32', span: 'u32', k: 'u32', tested: 'u32' },
  bindings: { step: 'read', keys: 'read', best: 'write' },
  constants: ['MERGE'],
});

/** Threads of a user in mask_seen. */
const MASK_THREADS = 32;
/** Items of a thread in rank_items. */
const RANK_SPAN = 256;
/** Items of a thread in top_k. */
const TOP_SPAN = 1024;

export interface ChunkSize {
  /** Users of a chunk. */
  readonly users: number;
  readonly items: number;
  /** Users in all. */
  readonly tested: number;
}

/** Sets the keys of seen items to 0, but never the held-out item's. */
export function maskSeen(
  plan: Plan,
  views: Record<'step' | 'offsets' | 'seenItems' | 'heldOut' | 'keys', View>,
  size: ChunkSize,
): void {
  plan.dispatch(maskKernel, views, { ...size }, groupsFor(size.users * MASK_THREADS));
}

/** Sets the keys of items that are not allowed to 0, for all users. @param views allowed: u32[items], 0 or 1 */
export function maskItems(plan: Plan, views: Record<'allowed' | 'keys', View>, { users, items }: ChunkSize): void {
  plan.dispatch(itemsKernel, views, { users, items }, groupsFor(users * items));
}

/** Adds to each user's rank how many items are not scored below the held-out one. */
export function rankItems(
  plan: Plan,
  views: Record<'step' | 'heldOut' | 'keys' | 'ranks', View>,
  size: ChunkSize,
): void {
  const threads = size.users * Math.ceil(size.items / RANK_SPAN);
  plan.dispatch(rankKernel, views, { ...size, span: RANK_SPAN }, groupsFor(threads));
}

/** Elements of topK's `spans`, each a vec2u. */
export const topSpansLength = ({ users, items }: ChunkSize, k: number) => users * Math.ceil(items / TOP_SPAN) * k;

/**
 * The k best items of each user that are not masked, as (key, item) in descending order, ties by the lower item.
 * @param views spans: vec2u[topSpansLength], the best of each span of items; best: vec2u[tested, k]
 */
export function topK(
  plan: Plan,
  views: Record<'step' | 'keys' | 'spans' | 'best', View>,
  { users, items, tested }: ChunkSize,
  k: number,
): void {
  const { step, keys, spans, best } = views;
  const count = Math.ceil(items / TOP_SPAN);
  const every = { rows: users, width: items, span: TOP_SPAN, k, tested };
  plan.dispatch(topKernel, { step, keys, best: spans }, every, groupsFor(users * count), { MERGE: 0 });
  const merged = { ...every, width: count * k, span: count * k };
  plan.dispatch(topKernel, { step, keys: spans, best }, merged, groupsFor(users), { MERGE: 1 });
}
