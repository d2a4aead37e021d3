/** A column of numbers whose length is not known before the end of the file. */

const FIRST_CAPACITY = 1024;

/** Doubles its memory when full, so that n pushes copy at most 2n numbers. */
export class Growing<A extends Uint32Array | Float64Array> {
  readonly #type: new (
    length: number,
  ) => A;
  #values: A;
  #length = 0;

  constructor(type: new (length: number) => A) {
    this.#type = type;
    this.#values = new type(FIRST_CAPACITY);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new this.#type(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** A copy of exactly the pushed numbers. */
  toArray(): A {
    return this.#values.slice(0, this.#length) as A;
  }
}
