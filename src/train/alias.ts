import { power } from './power.ts';

/** Weight of an item that occurs once; counts are quantised to this, so that all platforms build the same table. */
const UNIT = 1024;

/**
 * Walker's alias table for drawing items in proportion to count^exponent (Walker 1977; Vose 1991), by whole weights:
 * a uniformly drawn column keeps its own item when a random word is below the threshold, else gives the other item.
 * With exponent 0 all items are alike, also those that nobody took, which otherwise are never drawn.
 * @returns u32[items, 2]: threshold of 2³², other item
 */
export function aliasTable(counts: Uint32Array, exponent: number): Uint32Array<ArrayBuffer> {
  const n = counts.length;
  const weights = Array.from(counts, (count) => Math.round(UNIT * power(count, exponent)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const table = new Uint32Array(2 * n);
  const left = weights.map((weight) => weight * n); // a column holds `total`
  const small: number[] = [];
  const large: number[] = [];
  left.forEach((weight, item) => {
    (weight < total ? small : large).push(item);
  });
  while (small.length && large.length) {
    const item = small.pop()!;
    const other = large[large.length - 1]!;
    table[2 * item] = Math.floor((left[item]! / total) * 2 ** 32);
    table[2 * item + 1] = other;
    left[other]! -= total - left[item]!;
    if (left[other]! < total) small.push(large.pop()!);
  }
  for (const item of [...small, ...large]) {
    table[2 * item] = 0xffffffff;
    table[2 * item + 1] = item;
  }
  return table;
}
