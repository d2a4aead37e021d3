import type { Evaluation, Ranks } from '../evaluate/evaluation.ts';
import { below, pcg4d, STREAM } from '../random.ts';

/**
 * Ranks of a model that has learnt nothing: each held-out item's is drawn uniformly among its candidates' places, which
 * is what a random score for each pair would give, without users × items of them.
 */
export function chanceRanks({ others, split: { test } }: Pick<Evaluation, 'others' | 'split'>, seed: number): Ranks {
  const words = new Uint32Array(4);
  const draw = (protocol: number) => (count: number, row: number) =>
    below(pcg4d(words, seed, STREAM.baseline, test.users[row]!, test.items[row]!)[protocol]!, count + 1);
  return {
    ...(others.sampled && { sampled: others.sampled.map(draw(0)) }),
    ...(others.full && { full: others.full.map(draw(1)) }),
  };
}
