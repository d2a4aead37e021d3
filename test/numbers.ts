/** Seeded test data, and comparison with the float64 reference. */
import { expect } from 'vitest';
import { pcg4d } from '../src/random.ts';
import type { Numbers } from './reference/elementwise.ts';

/** Another sequence for every seed; the same in every run. */
export class Draws {
  readonly #seed: number;
  readonly #words = new Uint32Array(4);
  #next = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** From 0 to below 1. */
  uniform(): number {
    return pcg4d(this.#words, this.#seed, 0x7e57, 0, this.#next++)[0]! / 2 ** 32;
  }

  /** f32 values from `low` to `high`, no zeros among them. */
  vector(length: number, low = -1, high = 1): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => low + (high - low) * this.uniform() || high);
  }

  /** f32 values of the standard normal distribution (Box and Muller 1958). */
  normal(length: number, mean = 0, deviation = 1): Float32Array<ArrayBuffer> {
    const one = () => Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
    return Float32Array.from({ length }, () => mean + deviation * one());
  }

  /** Integers from 0 to below `bound`. */
  ids(length: number, bound: number): Uint32Array<ArrayBuffer> {
    return Uint32Array.from({ length }, () => Math.floor(this.uniform() * bound));
  }
}

export interface Tolerance {
  /** Largest permitted |actual − expected| / scale; default 1e-6. */
  readonly relative?: number;
  /** What each error is relative to; default |expected|. For sums: the sum of magnitudes. */
  readonly scale?: Numbers;
}

/** Fails with the worst element when one is further from the reference than permitted, or is not a number. */
export function expectClose(actual: Numbers, expected: Numbers, { relative = 1e-6, scale }: Tolerance = {}): void {
  expect(actual.length, 'number of elements').toBe(expected.length);
  let worst = { error: 0, text: '' };
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    const size = Math.abs(scale ? scale[i]! : e);
    const difference = Math.abs(a - e);
    const error = difference === 0 ? 0 : difference / size;
    if (!(error <= worst.error))
      worst = {
        error: Number.isNaN(error) ? Infinity : error,
        text: `[${i}] is ${a}, not ${e} (± ${relative} · ${size})`,
      };
  }
  if (worst.error > relative)
    expect.fail(`${worst.text}, the worst of ${expected.length}: error ${worst.error.toExponential(2)}`);
}

export function sameBits(a: Float32Array<ArrayBuffer>, b: Float32Array<ArrayBuffer>): boolean {
  const [words, others] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)];
  return words.length === others.length && words.every((word, i) => word === others[i]);
}
