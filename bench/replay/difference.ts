/**
 * Gradients below this are rounding noise around an exact zero (a bias in front of BatchNorm has none): they count
 * absolutely, as if the quantity's largest magnitude were this.
 */
const LEAST_SCALE = 1e-3;

/** The largest difference between what the engine computed and what a trace expects, over all values of one quantity. */
export class Difference {
  readonly quantity: string;
  absolute = 0;
  #scale = 0;
  values = 0;

  constructor(quantity: string) {
    this.quantity = quantity;
  }

  /** Compares the first `expected.length` values; a value that is not a number is infinitely far away. */
  add(actual: ArrayLike<number>, expected: readonly number[]): void {
    expected.forEach((value, i) => {
      const difference = Math.abs(actual[i]! - value);
      this.absolute = Math.max(this.absolute, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
      this.#scale = Math.max(this.#scale, Math.abs(value));
    });
    this.values += expected.length;
  }

  /** The largest absolute difference over the quantity's largest magnitude. */
  get relative(): number {
    return this.absolute / Math.max(this.#scale, LEAST_SCALE);
  }
}
