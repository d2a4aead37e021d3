import { expect, it } from 'vitest';
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

it.each([
  ['one item', [5]],
  ['items alike', [3, 3, 3]],
  ['popular and rare items, and one that nobody took', [1000, 1, 0, 40, 7, 7, 2]],
  ['a long tail', Array.from({ length: 500 }, (_, rank) => Math.ceil(3000 / (rank + 1)))],
])('%s: every item is drawn in proportion to count^0.75', (_, counts) => {
  const weights = counts.map((count) => count ** 0.75);
  const total = weights.reduce((sum, weight) => sum + weight);
  probabilities(aliasTable(Uint32Array.from(counts))).forEach((p, item) => {
    // Weights are rounded to 1/1024 of that of an item that occurs once.
    expect(Math.abs(p - weights[item]! / total)).toBeLessThan(0.002 / total);
  });
});
