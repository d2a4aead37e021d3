/**
 * The reference: every kernel's formula in float64 and plain loops, the specification that the shaders are held to.
 * Matrices are row-major. This file: element-wise operations, sums, matrices side by side.
 */
export type Numbers = ArrayLike<number>;

/** out[i] = f(i) for 0 ≤ i < n. */
export function fromIndex(n: number, f: (i: number) => number): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) out[i] = f(i);
  return out;
}

/** |x|, for the sum of magnitudes that bounds a sum's rounding error. */
export function absolute(x: Numbers): Float64Array {
  return fromIndex(x.length, (i) => Math.abs(x[i]!));
}

/** out[i] = a[i] · b[i] */
export function hadamard(a: Numbers, b: Numbers): Float64Array {
  return fromIndex(a.length, (i) => a[i]! * b[i]!);
}

/** out[i] = a[i] + b[i] */
export function add(a: Numbers, b: Numbers): Float64Array {
  return fromIndex(a.length, (i) => a[i]! + b[i]!);
}

/** out[i] = max(x[i], 0) */
export function relu(x: Numbers): Float64Array {
  return fromIndex(x.length, (i) => Math.max(x[i]!, 0));
}

/** dx[i] = dy[i] where x[i] > 0, else 0 */
export function reluBackward(x: Numbers, dy: Numbers): Float64Array {
  return fromIndex(x.length, (i) => (x[i]! > 0 ? dy[i]! : 0));
}

/** Σ x[i] */
export function sum(x: Numbers): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += x[i]!;
  return total;
}

/** out[r] = [a[r] ; b[r]], of `left` and `right` columns. */
export function concat(a: Numbers, b: Numbers, left: number, right: number): Float64Array {
  const width = left + right;
  return fromIndex(a.length + b.length, (i) => {
    const [r, c] = [Math.floor(i / width), i % width];
    return c < left ? a[r * left + c]! : b[r * right + c - left]!;
  });
}

/** Columns [from, to) of a matrix of `width` columns. */
export function columns(x: Numbers, width: number, from: number, to: number): Float64Array {
  const taken = to - from;
  return fromIndex((x.length / width) * taken, (i) => x[Math.floor(i / taken) * width + from + (i % taken)]!);
}
