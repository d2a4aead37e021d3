import { describe, expect, it } from 'vitest';
import { inversePropensities } from '../../src/train/propensity.ts';

/** A long tail, an item that nobody took, and two alike. */
const COUNTS = Uint32Array.of(900, 400, 100, 25, 25, 4, 1, 0);

const meanOverInteractions = (weights: Float32Array) =>
  COUNTS.reduce((sum, n, item) => sum + n * weights[item]!, 0) / COUNTS.reduce((sum, n) => sum + n);

describe.each([0, 0.5, 1, 1.3])('with propensities by popularity^%d', (gamma) => {
  it('the mean weight of a training interaction is 1', () => {
    for (const clip of [1, 2, 10, 1e6]) {
      expect(meanOverInteractions(inversePropensities(COUNTS, gamma, clip))).toBeCloseTo(1, 6);
    }
  });

  it('an item with fewer interactions counts as much more, where nothing is clipped', () => {
    const weights = inversePropensities(COUNTS, gamma, 1e6);
    COUNTS.forEach((n, item) => {
      expect(weights[item]! / weights[0]!).toBeCloseTo((900 / Math.max(1, n)) ** gamma, 3);
    });
  });
});

it('weights stop growing at the clip, a multiple of the mean inverse propensity', () => {
  // 1 / p = 30 / √n: 1, 1.5, 3, 6, 6, 15, 30; its mean over the 1,455 interactions is 2,190 / 1,455.
  const most = (3 * 2190) / 1455;
  const clipped = Array.from(COUNTS, (n) => Math.min(30 / Math.sqrt(Math.max(1, n)), most));
  const mean = COUNTS.reduce((sum, n, item) => sum + n * clipped[item]!, 0) / 1455;
  inversePropensities(COUNTS, 0.5, 3).forEach((weight, item) => {
    expect(weight).toBeCloseTo(clipped[item]! / mean, 6);
  });
  expect(clipped.filter((weight) => weight === most)).toHaveLength(5);
});

it('without a power all items count alike', () => {
  expect(new Set(inversePropensities(COUNTS, 0, 10))).toEqual(new Set([1]));
});
