import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import type { EpochEvent } from '../../src/train/history.ts';
import { learningRate, type ScheduleSettings } from '../../src/train/schedule.ts';
import { resolveSettings, type TrainSettings } from '../../src/train/settings.ts';

const BASE: ScheduleSettings = {
  epochs: 6,
  lr: 0.01,
  schedule: 'constant',
  scheduleFactor: 0.5,
  scheduleStep: 3,
  schedulePatience: 1,
  scheduleMin: 0,
  warmUp: 0,
};

const epochs = (rates: readonly (number | null)[], key: 'test' | 'validation'): EpochEvent[] =>
  rates.map((hr, i) => {
    const metrics = { 'hr@10': hr ?? 0, 'ndcg@10': 0 };
    const figures = hr === null ? {} : key === 'test' ? metrics : { validation: metrics };
    return { event: 'epoch', epoch: i + 1, lr: 0, loss: 1, seconds: 1, samplesPerSecond: 1, ...figures };
  });

/** HR@10 by epoch; steps so small that PyTorch's threshold of 1e-4 takes them for none are among them. */
const HR = [0.3, 0.35, 0.34, 0.35, 0.35001, 0.36, 0.36002, 0.359, 0.31, 0.2, 0.5, 0.4, 0.4, 0.4];
const EVERY_OTHER = [null, 0.3, null, 0.3, null, 0.29, null, 0.2, null, 0.4, 0.1, 0.1, 0.1, 0.1];
const ALWAYS = Array<number>(6).fill(0.5);

// The rates are those of torch 1.13's StepLR, CosineAnnealingLR, ReduceLROnPlateau (mode max) and, for warm-ups,
// SequentialLR([LinearLR(start_factor=1/(n+1), end_factor=1, total_iters=n), …], milestones=[n]).
describe('rates are PyTorch’s:', () => {
  it.each<[string, Partial<ScheduleSettings>, (number | null)[], number[]]>([
    [
      'step',
      { schedule: 'step', lr: 0.02, scheduleFactor: 0.3 },
      [],
      [0.02, 0.02, 0.02, 0.006, 0.006, 0.006, 0.0018, 0.0018],
    ],
    [
      'cosine down to a least rate',
      { schedule: 'cosine', scheduleMin: 1e-4 },
      [],
      [0.01, 0.009336825748732971, 0.007525, 0.00505, 0.002575, 0.0007631742512670285],
    ],
    [
      'plateau of patience 1, down to a least rate',
      { schedule: 'plateau', lr: 1e-3, scheduleMin: 3e-4 },
      HR,
      [1e-3, 1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 5e-4, 5e-4, 3e-4, 3e-4, 3e-4, 3e-4, 3e-4, 3e-4],
    ],
    [
      'plateau of patience 2',
      { schedule: 'plateau', lr: 1e-3, scheduleFactor: 0.1, schedulePatience: 2 },
      HR,
      [1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-4, 1e-4, 1e-5, 1e-5, 1e-5, 1e-5, 1e-5],
    ],
    [
      'plateau without patience, until a change would be too small',
      { schedule: 'plateau', lr: 2e-8, scheduleFactor: 0.1, schedulePatience: 0 },
      ALWAYS,
      [2e-8, 2e-8, 2e-9, 2e-9, 2e-9, 2e-9],
    ],
    [
      'plateau where not every epoch is evaluated',
      { schedule: 'plateau', lr: 1e-3 },
      EVERY_OTHER,
      [1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 5e-4, 5e-4, 5e-4, 5e-4, 2.5e-4, 2.5e-4],
    ],
    ['warm-up before a constant rate', { warmUp: 3 }, [], [0.0025, 0.005, 0.0075, 0.01, 0.01, 0.01]],
    [
      'warm-up before step',
      { warmUp: 2, schedule: 'step', scheduleStep: 2 },
      [],
      [0.01 / 3, 0.02 / 3, 0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025],
    ],
    [
      'warm-up before cosine, which has the epochs that are left',
      { warmUp: 2, schedule: 'cosine', scheduleMin: 1e-3, epochs: 7 },
      [],
      [
        0.01 / 3,
        0.02 / 3,
        0.01,
        0.009140576474687266,
        0.006890576474687264,
        0.004109423525312737,
        0.001859423525312737,
      ],
    ],
  ])('%s', (_, settings, rates, expected) => {
    for (const items of ['test', 'validation'] as const) {
      const history = epochs(rates, items);
      expected.forEach((lr, i) => {
        const rate = learningRate({ ...BASE, ...settings }, i + 1, history);
        expect(Math.abs(rate / lr - 1), `epoch ${i + 1}: ${rate}, and ${lr} is right`).toBeLessThan(1e-14);
      });
    }
  });
});

it('plateau does not look at the epochs of a warm-up', () => {
  const settings = { ...BASE, schedule: 'plateau', schedulePatience: 0, warmUp: 2 } as const;
  const history = epochs([0.9, 0.8, 0.1, 0.2, 0.2], 'test');
  const rates = [1, 2, 3, 4, 5, 6].map((epoch) => learningRate(settings, epoch, history));
  expect(rates).toEqual([0.01 / 3, 0.02 / 3, 0.01, 0.01, 0.01, 0.005]);
});

it('the lesson’s preset halves the rate after more than three evaluations without a better HR@10, as its code does', () => {
  const { schedule, scheduleFactor, schedulePatience } = resolveSettings({ preset: 'lesson' });
  expect({ schedule, scheduleFactor, schedulePatience }).toEqual({
    schedule: 'plateau',
    scheduleFactor: 0.5,
    schedulePatience: 3,
  });
  expect(resolveSettings({}).schedule).toBe('constant');
});

describe('settings that make no schedule or no choice are refused:', () => {
  it.each<[Partial<TrainSettings>, string]>([
    [{ schedule: 'linear' as 'step' }, 'schedule "linear": constant, step, cosine, plateau would be right'],
    [{ scheduleFactor: 1 }, 'scheduleFactor 1: a number above 0 and below 1 would be right'],
    [{ scheduleFactor: 0 }, 'scheduleFactor 0: a number above 0 and below 1 would be right'],
    [{ scheduleStep: 0 }, 'scheduleStep 0: an integer of at least 1 would be right'],
    [{ schedulePatience: -1 }, 'schedulePatience -1: an integer of at least 0 would be right'],
    [{ lr: 0.01, scheduleMin: 0.02 }, 'scheduleMin 0.02: a number from 0 to 0.01 would be right'],
    [{ warmUp: 1.5 }, 'warmUp 1.5: an integer of at least 0 would be right'],
    [
      { schedule: 'plateau', eval: 'none' },
      'schedule "plateau" with eval none: it follows HR@10, and nothing is evaluated; constant, step, cosine would be right',
    ],
    [{ validation: true, patience: 0 }, 'patience 0: an integer of at least 1 would be right'],
    [
      { patience: 3 },
      'patience 3: when to stop is chosen on validation items, and there are none; validation would be right',
    ],
    [{ validation: true, eval: 'none' }, 'validation with eval none: nothing is evaluated; eval loo would be right'],
  ])('%o', (settings, message) => {
    expect(() => resolveSettings(settings)).toThrow(new ConfigError(message));
  });
});
