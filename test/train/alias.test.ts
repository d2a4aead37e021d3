import { describe, expect, it } from 'vitest';
import { aliasTable } from '../../src/train/alias.ts';

/** What a draw from the table gives each item: a uniform column keeps its own item below the threshold. */
function probabilities(table: Uint32Array): number[] {
  const n = table.length / 2;
  const p = new Array<number>(n).fill(0);
  for (let column = 0; column < n; column++) {
    const own = table[2 * column]! / 2 ** 32;
    p[column]! += own / n;
    p[table[2 * column + 1]!]! += (1 - own) / n;
  }
  return p;
}

describe.each([0, 0.3, 0.75, 1, 1.5])('by popularity to the power of %d', (exponent) => {
  it.each([
    ['one item', [5]],
    ['items alike', [3, 3, 3]],
    ['popular and rare items, and one that nobody took', [1000, 1, 0, 40, 7, 7, 2]],
    ['a long tail', Array.from({ length: 500 }, (_, rank) => Math.ceil(3000 / (rank + 1)))],
  ])('%s: every item is drawn in proportion to it', (_, counts) => {
    const weights = counts.map((count) => count ** exponent);
    const total = weights.reduce((sum, weight) => sum + weight);
    probabilities(aliasTable(Uint32Array.from(counts), exponent)).forEach((p, item) => {
      const share = weights[item]! / total;
      // Weights, and with them their total, are rounded to 1/1024 of that of an item that occurs once; thresholds to 2⁻³².
      const rounding = (0.5 / 1024) * (1 + share * counts.length);
      expect(Math.abs(p - share)).toBeLessThan((1.001 * rounding) / total + 2 ** -32);
    });
  });
});
