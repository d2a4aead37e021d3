import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const pairsKernel = defineKernel({
  name: 'candidate_pairs',
  params: { chunk: 'u32', width: 'u32', tested: 'u32' },
  bindings: { step: 'read', testedUsers: 'read', candidates: 'read', users: 'write', items: 'write' },
});
const rankKernel = defineKernel({
  name: 'rank',
  params: { chunk: 'u32', width: 'u32', tested: 'u32' },
  bindings: { step: 'read', candidates: 'read', logits: 'read', ranks: 'write' },
});
const keysKernel = defineKernel({
  name: 'candidate_keys',
  params: { chunk: 'u32', width: 'u32', tested: 'u32' },
  bindings: { step: 'read', candidates: 'read', logits: 'read', keys: 'write' },
});

/** A candidate list's place that holds no item. */
export const NO_CANDIDATE = 0xffffffff;

export interface RankSize {
  /** Users scored together. */
  readonly chunk: number;
  /** Candidates of a user, the held-out item first. */
  readonly width: number;
  /** Tested users in all. */
  readonly tested: number;
}

/** The pairs to score for the chunk that the clock points at. */
export function candidatePairs(
  plan: Plan,
  views: Record<'step' | 'testedUsers' | 'candidates' | 'users' | 'items', View>,
  size: RankSize,
): void {
  plan.dispatch(pairsKernel, views, { ...size }, groupsFor(size.chunk * size.width));
}

/** How many candidates are not scored below the held-out item, for each user of the chunk. */
export function rank(
  plan: Plan,
  views: Record<'step' | 'candidates' | 'logits' | 'ranks', View>,
  size: RankSize,
): void {
  plan.dispatch(rankKernel, views, { ...size }, groupsFor(size.chunk));
}

/** The chunk's logits as keys that order as they do, for topK (catalogue.ts); 0 where there is no candidate. */
export function candidateKeys(
  plan: Plan,
  views: Record<'step' | 'candidates' | 'logits' | 'keys', View>,
  size: RankSize,
): void {
  plan.dispatch(keysKernel, views, { ...size }, groupsFor(size.chunk * size.width));
}
