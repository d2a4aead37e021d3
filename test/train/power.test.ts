import { expect, it } from 'vitest';
import { power } from '../../src/train/power.ts';

it.each([0, 0.1, 0.5, 2 / 3, 0.75, 1, 1.25, 2])(
  'to the power of %d is what Math.pow gives, to rounding',
  (exponent) => {
    for (const base of [1, 2, 3, 7, 1000, 123456, 2 ** 32 - 1]) {
      expect(Math.abs(power(base, exponent) / base ** exponent - 1)).toBeLessThan(1e-14);
    }
  },
);

it('of nothing is nothing, but for 0⁰ = 1', () => {
  expect([0, 0.5, 1, 1.5].map((exponent) => power(0, exponent))).toEqual([1, 0, 0, 0]);
});

it('takes square roots and products alone, whose bits IEEE 754 fixes', () => {
  for (const base of [2, 3, 5, 7919]) {
    expect(power(base, 0.75)).toBe(Math.sqrt(base) * Math.sqrt(Math.sqrt(base)));
    expect(power(base, 2.5)).toBe(base * base * Math.sqrt(base));
  }
});
