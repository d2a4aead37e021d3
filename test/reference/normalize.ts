/** Reference of rows of length one. */
import type { Numbers } from './elementwise.ts';

/** x f64[rows, dim] with every row divided by its length; a row of zeros stays one. */
export function normalize(x: Numbers, dim: number): Float64Array {
  return Float64Array.from(x, (value, i) => {
    const first = i - (i % dim);
    let squares = 0;
    for (let d = first; d < first + dim; d++) squares += x[d]! ** 2;
    return squares === 0 ? 0 : value / Math.sqrt(squares);
  });
}
