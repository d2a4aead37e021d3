import { describe, expect, it } from 'vitest';
import { hitRate, ndcg } from '../../src/evaluate/metrics.ts';
import { bestEpoch, type EpochEvent } from '../../src/train/history.ts';

it.each<[string, number[], number, number]>([
  // 1 / log₂(rank + 2): 1 for the first, 1 / log₂ 3 for the second, 1 / 2 for the third …
  ['everyone’s item comes first', [0, 0, 0], 1, 1],
  ['nobody’s is among the first ten', [10, 99, 1000], 0, 0],
  ['the tenth place counts, the eleventh does not', [9, 10], 1 / 2, 1 / Math.log2(11) / 2],
  ['first, second, third and beyond', [0, 1, 2, 50], 3 / 4, (1 + 1 / Math.log2(3) + 1 / 2) / 4],
  ['one user', [2], 1, 1 / 2],
])('%s: ranks %j give HR@10 %d', (_, ranks, hr, gain) => {
  expect(hitRate(ranks, 10)).toBeCloseTo(hr, 12);
  expect(ndcg(ranks, 10)).toBeCloseTo(gain, 12);
});

it('a smaller cut-off counts fewer', () => {
  expect([1, 2, 3, 5].map((k) => hitRate([0, 1, 2, 4], k))).toEqual([1 / 4, 2 / 4, 3 / 4, 1]);
  expect(ndcg([0, 1, 2, 4], 1)).toBe(1 / 4);
});

it('NDCG never exceeds HR', () => {
  for (let rank = 0; rank < 20; rank++) expect(ndcg([rank], 10)).toBeLessThanOrEqual(hitRate([rank], 10));
});

describe('the best epoch', () => {
  const epoch = (number: number, hr?: number, gain = 0): EpochEvent => ({
    event: 'epoch',
    epoch: number,
    loss: 1,
    seconds: 1,
    samplesPerSecond: 1,
    ...(hr === undefined ? {} : { 'hr@10': hr, 'ndcg@10': gain }),
  });

  it('has the highest HR@10, and is the earlier one of equals', () => {
    const epochs = [epoch(1, 0.2, 0.1), epoch(2), epoch(3, 0.5, 0.2), epoch(4, 0.5, 0.3), epoch(5, 0.4, 0.4)];
    expect(bestEpoch(epochs)).toEqual({ epoch: 3, 'hr@10': 0.5, 'ndcg@10': 0.2 });
  });

  it('is none when none was evaluated, and may have no hit at all', () => {
    expect(bestEpoch([epoch(1), epoch(2)])).toBeNull();
    expect(bestEpoch([epoch(1, 0)])).toEqual({ epoch: 1, 'hr@10': 0, 'ndcg@10': 0 });
  });
});
