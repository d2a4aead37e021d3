import { pcg4d, STREAM } from '../random.ts';
import type { Scorer } from './ranks.ts';

/** A random number for each pair: what a model scores that has learnt nothing. */
export function randomScorer(seed: number): Scorer {
  const words = new Uint32Array(4);
  return (user, items) => items.map((item) => pcg4d(words, seed, STREAM.baseline, user, item)[0]!);
}
