import { expect, it } from 'vitest';
import { beyondAccuracy } from '../../src/evaluate/beyond-accuracy.ts';

const popularity = Uint32Array.of(10, 4, 1, 1);

it.each<[string, number[], number, number, number]>([
  // Gini by hand: Σ (2 j − 5) n_(j) / (4 Σ n) over ascending n.
  ['all items equally often', [3, 3, 3, 3], 1, 0, 4],
  ['one item for everybody', [8, 0, 0, 0], 1 / 4, 3 / 4, 10],
  ['two items, unequally', [0, 6, 0, 2], 2 / 4, (1 * 2 + 3 * 6) / 32, (6 * 4 + 2 * 1) / 8],
  ['no item at all', [0, 0, 0, 0], 0, 0, 0],
])('lists with %s', (_, counts, coverage, gini, meanPopularity) => {
  const metrics = beyondAccuracy(new Map([[5, Uint32Array.from(counts)]]), popularity);
  expect(metrics['coverage@5']).toBe(coverage);
  expect(metrics['gini@5']).toBeCloseTo(gini, 12);
  expect(metrics['popularity@5']).toBeCloseTo(meanPopularity, 12);
});

it('each cut-off has its own figures', () => {
  const recommended = new Map([
    [1, Uint32Array.of(2, 0, 0, 0)],
    [2, Uint32Array.of(2, 2, 0, 0)],
  ]);
  expect(beyondAccuracy(recommended, popularity)).toMatchObject({ 'coverage@1': 1 / 4, 'coverage@2': 2 / 4 });
});
