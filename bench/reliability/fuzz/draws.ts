import { below, pcg4d } from '../../../src/random.ts';

/** A stream of random numbers that nothing else draws from. */
const STREAM = 0xf022;

/** The random choices of one case: a function of the seed and of the case's number alone, so that any case comes again. */
export class Draws {
  readonly #words = new Uint32Array(4);
  readonly #seed: number;
  readonly #number: number;
  #drawn = 0;

  constructor(seed: number, number: number) {
    this.#seed = seed;
    this.#number = number;
  }

  /** 0 … bound − 1. */
  below(bound: number): number {
    return below(pcg4d(this.#words, this.#seed, STREAM, this.#number, this.#drawn++)[0]!, bound);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(share: number): boolean {
    return this.below(1 << 20) < share * (1 << 20);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  list<T>(length: number, draw: (index: number) => T): T[] {
    return Array.from({ length }, (_, index) => draw(index));
  }
}
