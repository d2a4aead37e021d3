import { describe, expect, it } from 'vitest';
import { alarms, baseRateEntropy, type RunFigures } from '../../src/evaluate/alarms.ts';

const metrics = (hr: number, ndcg: number) => ({ 'hr@10': hr, 'ndcg@10': ndcg });
const BASE_RATE = baseRateEntropy(4);

/** MovieLens-1M, paper-8, as it should be. */
const healthy: RunFigures = {
  losses: [0.3165, 0.27, 0.2556],
  baseRateLoss: BASE_RATE,
  evaluated: [
    { ...metrics(0.61, 0.35), full: metrics(0.07, 0.035) },
    { ...metrics(0.679, 0.401), full: metrics(0.09, 0.045) },
  ],
  baselines: {
    popularity: { ...metrics(0.4535, 0.2543), full: metrics(0.04, 0.02) },
    EASE: { ...metrics(0.719, 0.449), full: metrics(0.11, 0.06) },
  },
  testedUsers: 6040,
  final: {
    ranks: { sampled: Uint32Array.of(0, 99, 5), full: Uint32Array.of(2, 3500, 100) },
    others: { sampled: Uint32Array.of(99, 99, 99), full: Uint32Array.of(3600, 3500, 3400) },
    metrics: { ...metrics(0.679, 0.401), full: metrics(0.09, 0.045) },
    activeUnits: [32, 16, 8],
  },
};
const of = (change: Partial<RunFigures>) => alarms({ ...healthy, ...change });

it('a healthy run gives none, nor does one that was not evaluated, or stopped before its first epoch', () => {
  expect(of({})).toEqual([]);
  expect(of({ evaluated: [], baselines: {}, final: null })).toEqual([]);
  expect(of({ losses: [], evaluated: [], baselines: {}, final: null })).toEqual([]);
});

it('the entropy of one positive among five is .5004 nats, and of positives alone 0', () => {
  expect(baseRateEntropy(4)).toBeCloseTo(-0.2 * Math.log(0.2) - 0.8 * Math.log(0.8), 12);
  expect(baseRateEntropy(0)).toBe(0);
});

describe('there is an alarm when', () => {
  it('NDCG is above HR, at whichever cut-off and under whichever protocol', () => {
    expect(of({ evaluated: [{ ...metrics(0.5, 0.3), 'hr@5': 0.2, 'ndcg@5': 0.21 }] })).toEqual([
      'sampled: NDCG@5 0.2100 is above HR@5 0.2000, which no ranking gives',
    ]);
    expect(of({ evaluated: [{ full: metrics(0.1, 0.11) }], baselines: {} })).toEqual([
      'full: NDCG@10 0.1100 is above HR@10 0.1000, which no ranking gives',
    ]);
    expect(of({ evaluated: [metrics(0.5, 0.5)] })).toEqual([]);
  });

  it('nearly everything is ranked first', () => {
    expect(of({ evaluated: [metrics(0.97, 0.95)], baselines: {} })).toEqual([
      'sampled: NDCG@10 0.9500 is implausibly high: held-out items may be among the training data',
    ]);
  });

  it('a figure is far above EASE’s, but not when it is a little above, or few users were tested', () => {
    expect(of({ evaluated: [metrics(0.7294, 0.4523)] })).toEqual([]);
    expect(of({ evaluated: [metrics(0.94, 0.55)] })).toEqual([
      'sampled: HR@10 0.9400 is far above EASE’s 0.7190: held-out items may be among the training data',
    ]);
    expect(of({ evaluated: [{ full: metrics(0.12, 0.09) }] })).toEqual([
      'full: NDCG@10 0.0900 is far above EASE’s 0.0600: held-out items may be among the training data',
    ]);
    expect(of({ evaluated: [metrics(0.94, 0.55)], testedUsers: 30 })).toEqual([]);
    expect(of({ evaluated: [metrics(0.94, 0.55)], baselines: {} })).toEqual([]);
  });

  it('the loss stays at that of the base rate, but not where it is no plain cross-entropy', () => {
    expect(of({ losses: [Math.LN2, 0.5004] })).toEqual([
      'the last epoch’s loss 0.5004 is not below 0.5004, what the share of positives alone gives: the model has not learnt',
    ]);
    expect(of({ losses: [Math.LN2, 0.48] })).toEqual([]);
    expect(of({ losses: [3.1, 2.8], baseRateLoss: null })).toEqual([]);
  });

  it('the model ranks as popularity does, under every protocol', () => {
    const final = { ...healthy.final!, metrics: { ...metrics(0.4533, 0.2541), full: metrics(0.041, 0.021) } };
    expect(of({ final })).toEqual([
      expect.stringMatching(/^HR@10 0\.4533 and NDCG@10 0\.2541 are popularity’s, 0\.4535/),
    ]);
    const elsewhere = { ...final, metrics: { ...final.metrics, full: metrics(0.06, 0.021) } };
    expect(of({ final: elsewhere })).toEqual([]);
    expect(of({ final: { ...final, metrics: metrics(0.4533, 0.2594) } })).toEqual([]);
  });

  it('a hidden layer is dead', () => {
    expect(of({ final: { ...healthy.final!, activeUnits: [32, 0, 0] } })).toEqual([
      'hidden layer 2 is dead: its units are zero for every pair looked at',
    ]);
  });

  it('every held-out item comes last', () => {
    const { others } = healthy.final!;
    expect(of({ final: { ...healthy.final!, ranks: others } })).toEqual([
      'sampled: every candidate ties with the held-out item or beats it: all scores are equal, or not numbers',
    ]);
    const alone = { sampled: Uint32Array.of(0, 0) };
    expect(of({ final: { ...healthy.final!, ranks: alone, others: alone } })).toEqual([]);
  });
});
