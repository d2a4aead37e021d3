import { describe, expect, it } from 'vitest';
import { allMetrics, auc, hitRate, mrr, ndcg } from '../../src/evaluate/metrics.ts';
import { bestEpoch, type EpochEvent, outOfPatience } from '../../src/train/history.ts';
import { Draws } from '../numbers.ts';

it.each<[string, number[], number, number, number]>([
  // 1 / log₂(rank + 2): 1 for the first, 1 / log₂ 3 for the second, 1 / 2 for the third …
  ['everyone’s item comes first', [0, 0, 0], 1, 1, 1],
  ['nobody’s is among the first ten', [10, 99, 1000], 0, 0, 0],
  ['the tenth place counts, the eleventh does not', [9, 10], 1 / 2, 1 / Math.log2(11) / 2, 1 / 20],
  [
    'first, second, third and beyond',
    [0, 1, 2, 50],
    3 / 4,
    (1 + 1 / Math.log2(3) + 1 / 2) / 4,
    (1 + 1 / 2 + 1 / 3) / 4,
  ],
  ['one user', [2], 1, 1 / 2, 1 / 3],
])('%s: ranks %j give HR@10 %d', (_, ranks, hr, gain, reciprocal) => {
  expect(hitRate(ranks, 10)).toBeCloseTo(hr, 12);
  expect(ndcg(ranks, 10)).toBeCloseTo(gain, 12);
  expect(mrr(ranks, 10)).toBeCloseTo(reciprocal, 12);
});

it('a smaller cut-off counts fewer', () => {
  expect([1, 2, 3, 5].map((k) => hitRate([0, 1, 2, 4], k))).toEqual([1 / 4, 2 / 4, 3 / 4, 1]);
  expect(ndcg([0, 1, 2, 4], 1)).toBe(1 / 4);
});

it('whatever the ranks, MRR ≤ NDCG ≤ HR ≤ 1, and none falls as k grows', () => {
  const draws = new Draws(7);
  for (let trial = 0; trial < 200; trial++) {
    const ranks = draws.ids(1 + (trial % 40), 1 + 2 * (trial % 50));
    let before = [0, 0, 0];
    for (const k of [1, 2, 5, 10, 50]) {
      const figures = [mrr(ranks, k), ndcg(ranks, k), hitRate(ranks, k)];
      expect(figures, `ranks ${ranks} at ${k}`).toEqual(figures.toSorted((a, b) => a - b));
      expect(figures[2]).toBeLessThanOrEqual(1);
      figures.forEach((figure, i) => {
        expect(figure).toBeGreaterThanOrEqual(before[i]!);
      });
      before = figures;
    }
  }
});

it('AUC is the share of other candidates that the held-out item beats, among users who have any', () => {
  // 10 of 10, 5 of 10 and 0 of 4 beaten; the last user has no other candidate.
  expect(auc([0, 5, 4, 0], [10, 10, 4, 0])).toBeCloseTo((1 + 1 / 2 + 0) / 3, 12);
});

describe('all metrics', () => {
  it('at each cut-off, and always at 10, have with one held-out item a user the values of each other', () => {
    const metrics = allMetrics([0, 1, 4, 7, 30], [5, 20]);
    expect(metrics).toEqual({
      ...{ 'hr@10': 4 / 5, 'recall@10': 4 / 5, 'precision@10': 4 / 50 },
      ...{ 'hr@5': 3 / 5, 'recall@5': 3 / 5, 'precision@5': 3 / 25 },
      ...{ 'hr@20': 4 / 5, 'recall@20': 4 / 5, 'precision@20': 4 / 100 },
      'ndcg@10': (1 + 1 / Math.log2(3) + 1 / Math.log2(6) + 1 / Math.log2(9)) / 5,
      'ndcg@5': (1 + 1 / Math.log2(3) + 1 / Math.log2(6)) / 5,
      'ndcg@20': metrics['ndcg@10'],
      ...{ 'mrr@10': (1 + 1 / 2 + 1 / 5 + 1 / 8) / 5, 'map@10': metrics['mrr@10'] },
      ...{ 'mrr@5': (1 + 1 / 2 + 1 / 5) / 5, 'map@5': metrics['mrr@5'] },
      ...{ 'mrr@20': metrics['mrr@10'], 'map@20': metrics['mrr@10'] },
    });
  });

  it('have an AUC where there are so many candidates', () => {
    expect(allMetrics([1], [10], [4]).auc).toBe(3 / 4);
    expect(allMetrics([1], [10])).not.toHaveProperty('auc');
  });
});

describe('the best epoch', () => {
  const epoch = (number: number, hr?: number, gain = 0): EpochEvent => ({
    event: 'epoch',
    epoch: number,
    lr: 1e-3,
    loss: 1,
    seconds: 1,
    samplesPerSecond: 1,
    ...(hr === undefined ? {} : { 'hr@10': hr, 'ndcg@10': gain }),
  });

  it('has the highest HR@10, and is the earlier one of equals', () => {
    const epochs = [epoch(1, 0.2, 0.1), epoch(2), epoch(3, 0.5, 0.2), epoch(4, 0.5, 0.3), epoch(5, 0.4, 0.4)];
    expect(bestEpoch(epochs)).toEqual({ epoch: 3, chosenOn: 'test items', 'hr@10': 0.5, 'ndcg@10': 0.2 });
  });

  it('is chosen by the full protocol where only that was evaluated, and brings all of its metrics along', () => {
    const full = (number: number, hr: number): EpochEvent => ({
      ...epoch(number),
      full: { 'hr@10': hr, 'ndcg@10': 0.1, 'mrr@5': 0.05 },
    });
    expect(bestEpoch([full(1, 0.1), full(2, 0.3), full(3, 0.2)])).toEqual({
      epoch: 2,
      chosenOn: 'test items',
      full: { 'hr@10': 0.3, 'ndcg@10': 0.1, 'mrr@5': 0.05 },
    });
    const both = [
      { ...full(1, 0.3), 'hr@10': 0.4, 'ndcg@10': 0.2, auc: 0.8 },
      { ...full(2, 0.1), 'hr@10': 0.5, 'ndcg@10': 0.2, auc: 0.9 },
    ];
    expect(bestEpoch(both)).toMatchObject({ epoch: 2, 'hr@10': 0.5, auc: 0.9, full: { 'hr@10': 0.1 } });
  });

  it('is none when none was evaluated, and may have no hit at all', () => {
    expect(bestEpoch([epoch(1), epoch(2)])).toBeNull();
    expect(bestEpoch([epoch(1, 0)])).toEqual({ epoch: 1, chosenOn: 'test items', 'hr@10': 0, 'ndcg@10': 0 });
  });

  it('is chosen on the validation items where there are any, and has no figures on the test items yet', () => {
    const validated = (number: number, hr: number): EpochEvent => ({
      ...epoch(number),
      validation: { 'hr@10': hr, 'ndcg@10': hr / 2 },
    });
    expect(bestEpoch([validated(1, 0.3), validated(2, 0.4), epoch(3), validated(4, 0.4)])).toEqual({
      epoch: 2,
      chosenOn: 'validation items',
      validation: { 'hr@10': 0.4, 'ndcg@10': 0.2 },
    });
  });

  it.each([
    ['as many evaluations as patience allows brought nothing better', [0.3, 0.4, 0.4, 0.2], 2, true],
    ['the last one brought something better', [0.3, 0.2, 0.4], 2, false],
    ['only some evaluations were in vain', [0.4, 0.3], 2, false],
    ['epochs were not evaluated', [0.4, undefined, undefined, 0.3], 2, false],
    ['nothing was evaluated', [undefined, undefined], 1, false],
    ['patience has no end', [0.4, 0.3, 0.3, 0.3], null, false],
  ])('when %s (%j with patience %j), patience is at its end: %j', (_, rates, patience, ended) => {
    const epochs = rates.map((hr, i) => epoch(i + 1, hr));
    expect(outOfPatience(epochs, patience)).toBe(ended);
  });
});
