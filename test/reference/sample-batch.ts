/** Reference of the batch sampler. */
import { STREAM } from '../../src/random.ts';
import { below, pcg4d } from './random.ts';

/** Training interactions and how an epoch is drawn from them. */
export interface Epochs {
  /** Every user's training items, ascending. */
  readonly positives: readonly (readonly number[])[];
  readonly items: number;
  /** Negatives for each positive. */
  readonly negatives: number;
  /** How often each negative is drawn; 1 when it is left out. */
  readonly candidates?: number;
  readonly seed: number;
  /** Column c of the alias table: [threshold of 2³², other item]; null draws uniformly. */
  readonly alias: readonly (readonly [number, number])[] | null;
}

/** After this many rejected draws the next free item is taken. */
const MAX_DRAWS = 256;

/**
 * π(i), a bijection on [0, count): four rounds of a Feistel network on the smallest [0, 4ʰ) that holds [0, count), left
 * and right half of h bits, walked on while it lands outside (Luby and Rackoff 1988; Black and Rogaway 2002).
 *   (left, right) → (right, left xor pcg4d(seed, shuffle + round, epoch, right)[0] mod 2ʰ)
 */
export function shuffled(i: number, count: number, seed: number, epoch: number): number {
  let half = 1;
  while (4 ** half < count) half++;
  const size = 2 ** half;
  let j = i;
  do {
    let [left, right] = [Math.floor(j / size), j % size];
    for (let round = 0; round < 4; round++) {
      const word = pcg4d(seed, STREAM.shuffle + round, epoch, right)[0]!;
      [left, right] = [right, (left ^ (word % size)) >>> 0];
    }
    j = left * size + right;
  } while (j >= count);
  return j;
}

/** An item that is not among the user's: uniform or by the alias table, rejected while it is. */
function drawNegative(epochs: Epochs, user: number, epoch: number, sample: number, candidate: number): number {
  const { positives, items, seed, alias } = epochs;
  const taken = new Set(positives[user]);
  const stream = STREAM.negative + candidate * MAX_DRAWS;
  let item = 0;
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const [column, coin] = pcg4d(seed, stream + draw, epoch, sample);
    item = below(column!, items);
    if (alias && coin! >= alias[item]![0]) item = alias[item]![1];
    if (!taken.has(item)) return item;
  }
  while (taken.has(item)) item = (item + 1) % items;
  return item;
}

export interface Sample {
  readonly user: number;
  readonly item: number;
  readonly label: number;
}

/**
 * The samples of an epoch: number i is slot j mod (1 + negatives) of positive ⌊j / (1 + negatives)⌋, j = π(i). Each
 * stands there once for every candidate.
 */
export function* drawEpoch(epochs: Epochs, epoch: number): Generator<Sample, undefined> {
  const { positives, negatives, candidates = 1, seed } = epochs;
  const pairs = positives.flatMap((items, user) => items.map((item) => ({ user, item })));
  const count = pairs.length * (1 + negatives);
  for (let i = 0; i < count; i++) {
    const j = shuffled(i, count, seed, epoch);
    const { user, item } = pairs[Math.floor(j / (1 + negatives))]!;
    for (let candidate = 0; candidate < candidates; candidate++) {
      if (j % (1 + negatives) === 0) yield { user, item, label: 1 };
      else yield { user, item: drawNegative(epochs, user, epoch, j, candidate), label: 0 };
    }
  }
}
