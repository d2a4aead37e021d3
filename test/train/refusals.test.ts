import { describe, expect, it } from 'vitest';
import { ConfigError, DataError, GpuOutOfMemoryError, NonFiniteError } from '../../src/errors.ts';
import { PRESETS } from '../../src/models/config.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, splitOf, TINY, trained } from './fixture.ts';

const on = useGpu();

const SOFTMAX = { model: 'two-tower', loss: 'in-batch-softmax' } as const;

describe('settings that cannot work are refused before anything is trained', () => {
  it.each<[Partial<TrainSettings>, string]>([
    [{ batchSize: 1, batchNorm: true }, 'batchSize 1 with batch norm: one sample has no variance; at least 2, or no'],
    [{ batchSize: 0 }, 'batchSize 0: an integer of at least 1 would be right'],
    [{ gmfDim: 0 }, 'gmfDim 0: an integer of at least 1 would be right'],
    [{ mlpDim: 0 }, 'mlpDim 0: an integer of at least 1 would be right'],
    [{ mlpLayers: [8, 0] }, 'mlpLayers 0: an integer of at least 1 would be right'],
    [{ mlpDim: 2.5 }, 'mlpDim 2.5: an integer of at least 1 would be right'],
    [{ dropout: 1 }, 'dropout 1: a probability from 0 to below 1 would be right'],
    [{ epochs: 0 }, 'epochs 0: an integer of at least 1 would be right'],
    [{ negatives: -1 }, 'negatives -1: an integer of at least 0 would be right'],
    [{ negatives: 3_000_000 }, 'an epoch would have 1584000528 samples; at most 1073741824 can be shuffled'],
    [{ samplerPower: -0.5 }, 'samplerPower -0.5: a number from 0 to 2 would be right'],
    [{ hardCandidates: 0 }, 'hardCandidates 0: an integer of at least 1 would be right'],
    [{ hardCandidates: 257 }, 'hardCandidates 257: a number from 1 to 256 would be right'],
    [
      { sampler: 'hard', negatives: 0 },
      'sampler hard with negatives 0: at least 1, or another sampler, would be right',
    ],
    [{ hardFrom: 0 }, 'hardFrom 0: an integer of at least 1 would be right'],
    [{ sampler: 'hardest' as 'hard' }, 'sampler "hardest": uniform, popularity, hard would be right'],
    [{ ipsPower: -1 }, 'ipsPower -1: a number from 0 to 2 would be right'],
    [{ ipsClip: 0.5 }, 'ipsClip 0.5: a number from 1 to 1000000 would be right'],
    [{ samplerPower: Number.NaN }, 'samplerPower NaN: a number from 0 to 2 would be right'],
    [{ lr: 0 }, 'lr 0: a number above 0 would be right'],
    [{ lr: Number.NaN }, 'lr NaN: a number above 0 would be right'],
    [{ weightDecay: -1 }, 'weightDecay -1: a number of at least 0 would be right'],
    [{ weightDecayTables: -1 }, 'weightDecayTables -1: a number of at least 0 would be right'],
    [{ weightDecayBiases: Number.NaN }, 'weightDecayBiases NaN: a number of at least 0 would be right'],
    [
      { optimizer: 'lazy-adam', gmfDim: 8 },
      'embeddings of 8 and 2 dimensions, updated row by row: multiples of 4 would be right',
    ],
    [{ momentum: 1, optimizer: 'sgd' }, 'momentum 1: a number from 0 to below 1 would be right'],
    [{ momentum: 0.9 }, 'momentum 0.9 with adam, which has none: momentum 0, or optimizer sgd, would be right'],
    [{ clipNorm: 0 }, 'clipNorm 0: a number above 0 would be right'],
    [{ seed: 2 ** 32 }, 'seed 4294967296: at most 4294967295 would be right'],
    [{ evalSeed: -1 }, 'evalSeed -1: an integer of at least 0 would be right'],
    [{ preset: 'paper-9' }, `preset "paper-9": ${Object.keys(PRESETS).join(', ')} would be right`],
    [{ model: 'svd' as 'gmf' }, 'model "svd": mf, gmf, mlp, neumf, two-tower would be right'],
    [{ loss: 'mse' as 'bce' }, 'loss "mse": bce, in-batch-softmax would be right'],
    [{ ...SOFTMAX, temperature: 0 }, 'temperature 0: a number above 0 would be right'],
    [
      { ...SOFTMAX, model: 'neumf' },
      'loss in-batch-softmax with model neumf, which has no towers: model two-tower would be right',
    ],
    [
      { ...SOFTMAX, negatives: 4 },
      'negatives 4 with loss in-batch-softmax, for which the batch’s other items are negatives: 0 would be right',
    ],
    [
      { ...SOFTMAX, batchSize: 1 },
      'batchSize 1 with loss in-batch-softmax, for which other samples are negatives: at least 2 would be right',
    ],
    [
      { ...SOFTMAX, ipsPower: 0.5 },
      'ipsPower 0.5 with loss in-batch-softmax, which takes popularity out itself: 0, or loss bce, would be right',
    ],
    [{ model: 'two-tower', mlpLayers: [4, 0] }, 'mlpLayers 0: an integer of at least 1 would be right'],
  ])('%o', async (settings, message) => {
    const creation = Trainer.create(on.gpu, GROUPS, { ...TINY, ...settings });
    await expect(creation).rejects.toThrow(message);
    await expect(creation).rejects.toBeInstanceOf(ConfigError);
  });
});

it('tables that no software adapter can hold are refused with what would fit', async () => {
  const creation = Trainer.create(on.gpu, { ...GROUPS, users: 4_000_000_000 }, { gmfDim: 8 });
  await expect(creation).rejects.toThrow(/^the model and its optimizer need \S+ TiB, and .+ has .+ would fit$/);
  await expect(creation).rejects.toBeInstanceOf(GpuOutOfMemoryError);
});

describe('a user who has taken every item', () => {
  const rows = [0, 1, 2, 3].map((item): [number, number] => [0, item]);
  const all = { ...splitOf([...rows, [1, 0], [1, 1], [1, 2]], 2, 3), items: 3 };

  it('has no negative to draw, and is named', async () => {
    const creation = Trainer.create(on.gpu, all, TINY);
    await expect(creation).rejects.toThrow(
      new DataError('user number 0 has interacted with all 3 items: there is no negative to draw'),
    );
  });

  it('can be trained on without negatives', async () => {
    const { history } = await trained(on.gpu, { ...TINY, negatives: 0, epochs: 1 }, {}, all);
    expect(history).toHaveLength(1);
  });
});

it('data of which nobody can be tested is refused, unless nothing is to be tested', async () => {
  const split = splitOf(
    [
      [0, 0],
      [1, 1],
      [2, 1],
    ],
    3,
    4,
  );
  await expect(Trainer.create(on.gpu, split, { ...TINY, eval: 'loo' })).rejects.toThrow(
    new DataError('no user has two interactions, so there is no test item to rank; eval none would be right'),
  );
  expect((await trained(on.gpu, { ...TINY, epochs: 1 }, {}, split)).history).toHaveLength(1);
});

describe.each(['adam', 'lazy-adam', 'sgd'] as const)('when %s leaves the numbers', (optimizer) => {
  it('the run ends and names the step', async () => {
    const run = trained(on.gpu, { ...TINY, gmfDim: 4, mlpDim: 4, optimizer, lr: 1e30, epochs: 3 });
    await expect(run).rejects.toThrow(
      /^the loss became (NaN|-?Infinity) in epoch 1 at step [2-5] of 42, at a learning rate of 1e\+30$/,
    );
    await expect(run).rejects.toBeInstanceOf(NonFiniteError);
  });
});
