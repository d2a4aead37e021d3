/** Reference of the counter-based generator and of dropout, in integers without a bound on their size. */
import { fromIndex, type Numbers } from './elementwise.ts';

/** pcg4d (Jarzynski and Olano 2020, Hash Functions for GPU Rendering, listing 7): four words from a four-word counter. */
export function pcg4d(...counter: [number, number, number, number]): number[] {
  const word = (value: bigint) => BigInt.asUintN(32, value);
  let [x, y, z, w] = counter.map((c) => word(BigInt(c) * 1664525n + 1013904223n)) as [bigint, bigint, bigint, bigint];
  const mix = () => {
    x = word(x + y * w);
    y = word(y + z * x);
    z = word(z + x * y);
    w = word(w + y * z);
  };
  mix();
  x ^= x >> 16n;
  y ^= y >> 16n;
  z ^= z >> 16n;
  w ^= w >> 16n;
  mix();
  return [x, y, z, w].map(Number);
}

/** A random word as a number from 0 to bound − 1: ⌊word · bound / 2³²⌋ */
export function below(word: number, bound: number): number {
  return Number((BigInt(word) * BigInt(bound)) >> 32n);
}

export interface DropoutCounter {
  readonly p: number;
  readonly seed: number;
  readonly stream: number;
  readonly step: number;
}

/** Is element i kept? Where word i = pcg4d(seed, stream, step, ⌊i / 4⌋)[i mod 4] is at least p · 2³². */
export function kept(i: number, counter: DropoutCounter): boolean {
  return fourKept(Math.floor(i / 4), counter)[i % 4]!;
}

function fourKept(quad: number, { p, seed, stream, step }: DropoutCounter): boolean[] {
  return pcg4d(seed, stream, step, quad).map((word) => word >= Math.round(p * 2 ** 32));
}

/** y[i] = x[i] / (1 − p) where kept, else 0 */
export function dropout(x: Numbers, counter: DropoutCounter): Float64Array {
  let four: boolean[] = [];
  return fromIndex(x.length, (i) => {
    if (i % 4 === 0) four = fourKept(i / 4, counter);
    return four[i % 4] ? x[i]! / (1 - counter.p) : 0;
  });
}
