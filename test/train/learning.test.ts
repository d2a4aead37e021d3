import { describe, expect, it } from 'vitest';
import type { TrainSettings } from '../../src/train/settings.ts';
import { useGpu } from '../gpu-fixture.ts';
import { trained } from './fixture.ts';

const on = useGpu();

const SIZES = { gmfDim: 8, mlpDim: 8, mlpLayers: [16, 8], batchSize: 128, epochs: 8, evalEvery: 8, lr: 0.03 };
const REGULARISED = { batchNorm: true, dropout: 0.2, clipNorm: 1, weightDecay: 1e-6 };
/** One positive beside four negatives: what the base rate alone costs, in nats. */
const BASE_RATE_ENTROPY = -(0.2 * Math.log(0.2) + 0.8 * Math.log(0.8));

describe('on users with tastes in common', () => {
  it.each<[string, Partial<TrainSettings>]>([
    ['mf', { model: 'mf' }],
    ['gmf', { model: 'gmf' }],
    ['gmf with clipping', { model: 'gmf', clipNorm: 0.1 }],
    ['gmf by plain gradient descent', { model: 'gmf', optimizer: 'sgd', lr: 20 }],
    ['mlp', { model: 'mlp' }],
    ['mlp with BatchNorm, dropout and clipping', { model: 'mlp', ...REGULARISED }],
    ['mlp with dropout, without BatchNorm', { model: 'mlp', dropout: 0.1 }],
    ['mlp with BatchNorm, by plain gradient descent', { model: 'mlp', batchNorm: true, optimizer: 'sgd', lr: 1 }],
    ['two-tower', { model: 'two-tower' }],
    ['two-tower with BatchNorm, dropout and clipping', { model: 'two-tower', ...REGULARISED }],
    ['neumf', { model: 'neumf' }],
    ['neumf by lazy Adam', { model: 'neumf', optimizer: 'lazy-adam' }],
    ['neumf by momentum', { model: 'neumf', batchNorm: true, clipNorm: 1, optimizer: 'sgd', lr: 0.3, momentum: 0.9 }],
    ['neumf with BatchNorm, dropout and clipping', { model: 'neumf', ...REGULARISED, sampler: 'popularity' }],
    [
      'neumf with BatchNorm and clipping, by plain gradient descent',
      { model: 'neumf', batchNorm: true, clipNorm: 1, optimizer: 'sgd', lr: 1 },
    ],
  ])('%s learns more than the base rate, and ranks better than popularity and chance', async (_, settings) => {
    const trainer = await trained(on.gpu, { ...SIZES, ...settings });
    const last = trainer.history.at(-1)!;
    expect(last.loss).toBeLessThan(0.95 * BASE_RATE_ENTROPY);
    for (const [name, baseline] of Object.entries(trainer.baselines())) {
      expect(last['hr@10'], `HR@10 beside ${name}'s`).toBeGreaterThan(baseline['hr@10']! + 0.2);
      expect(last['ndcg@10'], `NDCG@10 beside ${name}'s`).toBeGreaterThan(baseline['ndcg@10']! + 0.1);
    }
  });
});

describe('two towers, by softmax within the batch, rank better than popularity and chance', () => {
  it.each<[string, Partial<TrainSettings>]>([
    ['with layers', {}],
    ['without layers', { mlpLayers: [] }],
    ['with BatchNorm, dropout and clipping', REGULARISED],
    ['at another temperature, by lazy Adam', { temperature: 0.5, optimizer: 'lazy-adam' }],
    ['without layers, by plain gradient descent', { mlpLayers: [], optimizer: 'sgd', lr: 20 }],
  ])('%s', async (_, more) => {
    const softmax = { model: 'two-tower', loss: 'in-batch-softmax', batchSize: 64, epochs: 24, evalEvery: 24 } as const;
    const trainer = await trained(on.gpu, { ...SIZES, ...softmax, ...more });
    const last = trainer.history.at(-1)!;
    // To find one item among 64 costs log 64 nats; who knows the five groups finds it among a fifth of them.
    expect(last.loss).toBeLessThan(Math.log(64) - 0.8 * Math.log(5));
    for (const [name, baseline] of Object.entries(trainer.baselines())) {
      expect(last['hr@10'], `HR@10 beside ${name}'s`).toBeGreaterThan(baseline['hr@10']! + 0.2);
      expect(last['ndcg@10'], `NDCG@10 beside ${name}'s`).toBeGreaterThan(baseline['ndcg@10']! + 0.1);
    }
  });
});

it('evaluates after every n-th epoch and the last', async () => {
  const { history } = await trained(on.gpu, { ...SIZES, model: 'gmf', epochs: 5, evalEvery: 2 });
  expect(history.map((epoch) => epoch['hr@10'] !== undefined)).toEqual([false, true, false, true, true]);
  expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
});
