import type { Candidates } from '../evaluate/candidates.ts';
import { pcg4d, STREAM } from '../random.ts';
import { rankBy } from './ranks.ts';

/** A random number for each pair: what a model scores that has learnt nothing. */
export function randomRanks(candidates: Candidates, seed: number): Uint32Array {
  const words = new Uint32Array(4);
  return rankBy(candidates, (user, item) => pcg4d(words, seed, STREAM.baseline, user, item)[0]!);
}
