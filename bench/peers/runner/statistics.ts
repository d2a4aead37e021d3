/** Figures from rounds in which every contender was measured once. */
import { median } from '../../kernels/median.ts';

export interface Comparison {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Median over the rounds of (theirs / ours in the same round): what disturbs a round meets both. */
  readonly ratioByRound: number;
  /** Median of theirs / median of ours. */
  readonly ratioOfMedians: number;
}

/**
 * Times against ours; above 1 means that ours is faster.
 * @param theirs one value a round
 * @param ours one value a round, as many
 */
export function compare(theirs: readonly number[], ours: readonly number[]): Comparison {
  if (theirs.length !== ours.length) throw new Error(`${theirs.length} rounds against ${ours.length}`);
  return {
    median: median(theirs),
    least: Math.min(...theirs),
    most: Math.max(...theirs),
    ratioByRound: median(theirs.map((time, round) => time / ours[round]!)),
    ratioOfMedians: median(theirs) / median(ours),
  };
}

/** Largest relative difference between two traces of losses. */
export function largestDifference(theirs: readonly number[], ours: readonly number[]): number {
  return Math.max(...ours.map((loss, step) => Math.abs(theirs[step]! - loss) / Math.abs(loss)));
}
