/**
 * base^exponent for both at least 0, with 0⁰ = 1: the same bits on every platform, which Math.pow does not promise, since
 * products and square roots are exact to the last bit (IEEE 754).
 *   x^β = x^⌊β⌋ · Π x^(1/2^k) over the digits k of β's binary fraction that are 1;  x^(1/2^k) is k square roots
 */
export function power(base: number, exponent: number): number {
  let result = 1;
  for (let i = 1; i <= exponent; i++) result *= base;
  let root = base;
  for (let digits = exponent % 1; digits > 0; digits = (2 * digits) % 1) {
    root = Math.sqrt(root);
    if (2 * digits >= 1) result *= root;
  }
  return result;
}
