import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainSettings } from '../../src/train/settings.ts';
import { useGpu } from '../gpu-fixture.ts';
import { LESSON_LIKE, splitOf, trained } from './fixture.ts';

const on = useGpu();

describe.each<[string, Partial<TrainSettings>]>([
  ['the lesson’s way of training', { ...LESSON_LIKE, epochs: 3 }],
  ['plain gradient descent', { ...LESSON_LIKE, epochs: 3, optimizer: 'sgd', dropout: 0, sampler: 'uniform' }],
  ['hard negatives', { ...LESSON_LIKE, epochs: 3, sampler: 'hard', hardCandidates: 4 }],
])('with %s', (_, settings) => {
  let first: { sha: string; losses: number[]; hr: number | undefined };

  async function outcome(other: Partial<TrainSettings> = {}, stepsPerSubmit?: number) {
    const options = stepsPerSubmit === undefined ? {} : { stepsPerSubmit };
    const trainer = await trained(on.gpu, { ...settings, evalEvery: 3, ...other }, options);
    const { history } = trainer;
    return {
      sha: await trainer.weightsSha256(),
      losses: history.map(({ loss }) => loss),
      hr: history.at(-1)!['hr@10'],
    };
  }

  beforeAll(async () => {
    first = await outcome();
  });

  it('the same seed gives the same bits', async () => {
    expect(await outcome()).toEqual(first);
  });

  it.each([1, 7, 64])('%i steps in a submit give the same bits', async (stepsPerSubmit) => {
    expect(await outcome({}, stepsPerSubmit)).toEqual(first);
  });

  it('evaluating in between changes nothing', async () => {
    expect(await outcome({ evalEvery: 1 })).toEqual(first);
  });

  it('another seed gives another model', async () => {
    expect((await outcome({ seed: 43 })).sha).not.toBe(first.sha);
  });
});

it('every step drops other units', async () => {
  // One sample, and a rate at which no weight moves: only dropout tells the steps apart.
  const split = splitOf(
    [
      [0, 0],
      [0, 1],
    ],
    1,
    2,
  );
  const still = { ...LESSON_LIKE, batchNorm: false, negatives: 0, epochs: 8, lr: 1e-30, optimizer: 'sgd' } as const;
  const lossesWith = async (dropout: number) => {
    const { history } = await trained(on.gpu, { ...still, dropout, eval: 'none' }, {}, split);
    return new Set(history.map(({ loss }) => loss));
  };
  expect((await lossesWith(0)).size).toBe(1);
  expect((await lossesWith(0.5)).size).toBeGreaterThan(4);
});
