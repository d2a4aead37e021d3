import { popularity, type Split } from '../data/split.ts';

/**
 * The logarithm of each item's share of the training interactions, f32[items]: how often another sample of a batch of
 * positives has it. Items without interactions, which no batch has, get 0.
 */
export function logPopularity(split: Split): Float32Array<ArrayBuffer> {
  const total = split.train.items.length;
  return Float32Array.from(popularity(split), (count) => (count === 0 ? 0 : Math.log(count / total)));
}
