import type { Numbers } from './reference/elementwise.ts';

/** Half the step: f's rounding error over it and the third derivative times its square are both about 1e-10. */
const STEP = 1e-5;

/** ∂f / ∂x[i] ≈ (f(x + h eᵢ) − f(x − h eᵢ)) / 2h, in float64. */
export function centralDifferences(f: (x: Float64Array) => number, at: Numbers): Float64Array {
  const x = Float64Array.from(at);
  return x.map((value, i) => {
    x[i] = value + STEP;
    const above = f(x);
    x[i] = value - STEP;
    const below = f(x);
    x[i] = value;
    return (above - below) / (2 * STEP);
  });
}
