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
