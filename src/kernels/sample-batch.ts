import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const kernel = defineKernel({
  name: 'sample_batch',
  params: {
    rows: 'u32',
    candidates: 'u32',
    batch_size: 'u32',
    batches: 'u32',
    positives: 'u32',
    negatives: 'u32',
    item_count: 'u32',
    half_bits: 'u32',
    seed: 'u32',
  },
  bindings: {
    step: 'read',
    positiveUsers: 'read',
    offsets: 'read',
    positiveItems: 'read',
    alias: 'read',
    users: 'write',
    items: 'write',
    labels: 'write',
  },
  constants: ['POPULARITY'],
});

export interface SampleSize {
  /** Samples to draw: the batch size, or what is left for the last batch of an epoch. */
  readonly rows: number;
  /** How often each negative is drawn, for one of them to be chosen; at most MOST_CANDIDATES. */
  readonly candidates: number;
  readonly batchSize: number;
  /** Batches of an epoch. */
  readonly batches: number;
  readonly positives: number;
  /** Negatives for each positive. */
  readonly negatives: number;
  readonly items: number;
  readonly seed: number;
}

/** Every candidate has its share of the generator's stream of negatives. */
export const MOST_CANDIDATES = 256;

/** Half the bits of the shuffle's domain, the smallest power of four that holds all samples of an epoch. */
export function shuffleHalfBits(samples: number): number {
  return Math.max(1, Math.ceil(Math.log2(Math.max(2, samples)) / 2));
}

/** Draws the batch that the clock points at. */
export function sampleBatch(
  plan: Plan,
  views: Record<'step' | 'positiveUsers' | 'offsets' | 'positiveItems' | 'alias' | 'users' | 'items' | 'labels', View>,
  { rows, candidates, batchSize, batches, positives, negatives, items, seed }: SampleSize,
  popularity: boolean,
): void {
  const params = {
    rows,
    candidates,
    batch_size: batchSize,
    batches,
    positives,
    negatives,
    item_count: items,
    half_bits: shuffleHalfBits(positives * (1 + negatives)),
    seed,
  };
  plan.dispatch(kernel, views, params, groupsFor(rows * candidates), { POPULARITY: Number(popularity) });
}
