import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shuffled } from './sample-batch.ts';

it.each([1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000])(
  'the shuffle of %i is a bijection, another one every epoch',
  (count) => {
    const orders = [0, 1, 2].map((epoch) => Array.from({ length: count }, (_, i) => shuffled(i, count, 42, epoch)));
    for (const order of orders) expect(order.toSorted((a, b) => a - b)).toEqual([...orders[0]!.keys()]);
    if (count >= 16) expect(new Set(orders.map(String)).size).toBe(3);
  },
);

it('the shuffle of any number of samples, by any seed, is a permutation in every epoch', () => {
  const word = fc.nat(0xffffffff);
  const property = fc.property(fc.integer({ min: 1, max: 300 }), word, word, (count, seed, epoch) => {
    const order = Array.from({ length: count }, (_, i) => shuffled(i, count, seed, epoch));
    expect(order.sort((a, b) => a - b)).toEqual([...order.keys()]);
  });
  fc.assert(property, { seed: 1, numRuns: 100 });
});
