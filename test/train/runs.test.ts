import { describe, expect, it } from 'vitest';
import { bestEpoch, type EpochEvent } from '../../src/train/history.ts';
import { type EndedRun, summariseRuns } from '../../src/train/runs.ts';

/** A run of two epochs, of which the first was the better one. */
function run(seed: number, first: Partial<EpochEvent>, second: Partial<EpochEvent>): EndedRun {
  const timing = { seconds: 1, evalSeconds: 0.5, samplesPerSecond: 1000 + seed };
  const epochs: EpochEvent[] = [first, second].map((figures, i) => ({
    event: 'epoch' as const,
    epoch: i + 1,
    lr: 1e-3,
    loss: 0,
    ...timing,
    ...figures,
  }));
  const end = {
    event: 'end' as const,
    best: bestEpoch(epochs),
    final: null,
    alarms: [],
    weightsSha256: String(seed),
    seconds: 3,
    stopped: false,
  };
  return { seed, epochs, end };
}
const full = (hr: number, ndcg: number) => ({ full: { 'hr@10': hr, 'ndcg@10': ndcg } });

describe('several runs', () => {
  const runs = [
    run(42, { 'hr@10': 0.6, 'ndcg@10': 0.3, ...full(0.2, 0.1) }, { loss: 0.5, 'hr@10': 0.5, 'ndcg@10': 0.25 }),
    run(43, { 'hr@10': 0.7, 'ndcg@10': 0.3, ...full(0.3, 0.1) }, { loss: 0.7, 'hr@10': 0.5, 'ndcg@10': 0.35 }),
    run(44, { 'hr@10': 0.8, 'ndcg@10': 0.3, ...full(0.1, 0.1) }, { loss: 0.9, 'hr@10': 0.5, 'ndcg@10': 0.3 }),
  ];
  const { best, last, seeds } = summariseRuns(runs);

  it('have the mean and the sample deviation of every figure of their best epochs', () => {
    expect(seeds).toEqual([42, 43, 44]);
    expect(best!.mean).toEqual({
      epoch: 1,
      'hr@10': expect.closeTo(0.7, 12),
      'ndcg@10': expect.closeTo(0.3, 12),
      full: { 'hr@10': expect.closeTo(0.2, 12), 'ndcg@10': expect.closeTo(0.1, 12) },
    });
    // √(2 · 0.1² / 2), not √(2 · 0.1² / 3)
    expect(best!.deviation).toEqual({
      epoch: 0,
      'hr@10': expect.closeTo(0.1, 12),
      'ndcg@10': expect.closeTo(0, 12),
      full: { 'hr@10': expect.closeTo(0.1, 12), 'ndcg@10': expect.closeTo(0, 12) },
    });
  });

  it('have those of their last epochs too, losses among them and timings not', () => {
    expect(last.mean).toEqual({ loss: expect.closeTo(0.7, 12), 'hr@10': 0.5, 'ndcg@10': expect.closeTo(0.3, 12) });
    expect(last.deviation).toEqual({
      loss: expect.closeTo(0.2, 12),
      'hr@10': 0,
      'ndcg@10': expect.closeTo(0.05, 12),
    });
  });

  it('that evaluated nothing have losses alone', () => {
    const unevaluated = [1, 3].map((loss, seed) => {
      const { epochs, end } = run(seed, {}, { loss });
      return { seed, epochs, end: { ...end, best: null } };
    });
    expect(summariseRuns(unevaluated)).toEqual({
      event: 'runs',
      seeds: [0, 1],
      best: null,
      last: { mean: { loss: 2 }, deviation: { loss: Math.SQRT2 } },
    });
  });
});
