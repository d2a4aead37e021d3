/** Tables that no binding holds: everything comes out as where one does, to the bit. */
import { beforeAll, describe, expect, it } from 'vitest';
import { identityIds } from '../../src/data/id-map.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import type { EpochEvent } from '../../src/train/history.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { TINY, tasteGroups } from './fixture.ts';

const on = useGpu();

/** Tables of 16 and 20 dimensions are split; so are lists of candidates and of users to rank. */
const BINDING_LIMIT = 8192;
const SPLIT = tasteGroups({ users: 200, items: 150, groups: 5, perUser: 5 });
const DATASET = { split: SPLIT, userIds: identityIds(200), itemIds: identityIds(150) };

const SETTINGS: Partial<TrainSettings> = {
  ...TINY,
  gmfDim: 16,
  mlpDim: 20,
  mlpLayers: [24, 8],
  batchSize: 128,
  negatives: 2,
  epochs: 2,
  eval: 'both',
  evalEvery: 2,
};

async function train(gpu: Gpu, settings: Partial<TrainSettings>) {
  const trainer = await Trainer.create(gpu, SPLIT, { ...SETTINGS, ...settings });
  for await (const _ of trainer);
  return trainer;
}

/** An epoch's record without its times. */
const figures = ({ seconds, samplesPerSecond, evalSeconds, ...others }: EpochEvent) => others;

const SMALL: Partial<TrainSettings> = { epochs: 1, evalEvery: 1 };
const CASES: [string, Partial<TrainSettings>][] = [
  ['neumf', { clipNorm: 0.5, weightDecay: 1e-4 }],
  ['neumf, its negatives drawn hard', { ...SMALL, sampler: 'hard', hardCandidates: 2, hardFrom: 1 }],
  ['mf by lazy Adam', { ...SMALL, model: 'mf', optimizer: 'lazy-adam' }],
  ['mlp by gradient descent', { ...SMALL, model: 'mlp', optimizer: 'sgd', momentum: 0.9, lr: 0.1, clipNorm: 0.5 }],
  ['gmf of an odd number of dimensions, by dense Adam', { ...SMALL, model: 'gmf', gmfDim: 17, clipNorm: 0.01 }],
  [
    'two towers by softmax',
    { ...SMALL, model: 'two-tower', loss: 'in-batch-softmax', negatives: 0, batchSize: 40, mlpLayers: [24, 8] },
  ],
];

describe.each(CASES)('%s', (_, settings) => {
  let small: Gpu;
  let whole: Trainer;
  let split: Trainer;
  beforeAll(async () => {
    small = await Gpu.borrow(on.gpu.device, { bindingLimit: BINDING_LIMIT });
    [whole, split] = [await train(on.gpu, settings), await train(small, settings)];
    return () => small.close();
  });

  it('has the weights, losses and figures of tables that are not split', async () => {
    const tables = [split.model.tables.gmf, split.model.tables.mlp].filter((branch) => branch !== null);
    expect(Math.max(...tables.map(({ users }) => users.shards.length))).toBeGreaterThan(1);
    expect(Math.max(...tables.map(({ items }) => items.shards.length))).toBeGreaterThan(1);
    expect(await split.weightsSha256()).toBe(await whole.weightsSha256());
    expect(split.history.map(figures)).toEqual(whole.history.map(figures));
  });

  it('goes on from the other’s checkpoint to the same bits', async () => {
    const [bytes, others] = [await encodeCheckpoint(split, DATASET), await encodeCheckpoint(whole, DATASET)];
    const more = { ...SETTINGS, ...settings, epochs: 3 };
    const [a, b] = [await Trainer.create(small, SPLIT, more), await Trainer.create(on.gpu, SPLIT, more)];
    restoreCheckpoint(a, others, 'whole', DATASET);
    restoreCheckpoint(b, bytes, 'split', DATASET);
    for (const trainer of [a, b]) for await (const _ of trainer);
    expect(await a.weightsSha256()).toBe(await b.weightsSha256());
    expect(a.step).toBeGreaterThan(split.step);
  });

  it('recommends the same', async () => {
    const [a, b] = [Recommender.of(split, DATASET), Recommender.of(whole, DATASET)];
    const users = Array.from({ length: 200 }, (_, user) => DATASET.userIds.idOf(user));
    expect(await a.recommend(users, { k: 5 })).toEqual(await b.recommend(users, { k: 5 }));
    expect(await a.similarItems(DATASET.itemIds.idOf(140), 5)).toEqual(
      await b.similarItems(DATASET.itemIds.idOf(140), 5),
    );
    expect(await a.similarUsers(DATASET.userIds.idOf(199), 5)).toEqual(
      await b.similarUsers(DATASET.userIds.idOf(199), 5),
    );
    const own = [0, 5, 145].map((item) => DATASET.itemIds.idOf(item));
    const [mine, others] = [await a.foldIn(own, { k: 5 }), await b.foldIn(own, { k: 5 })];
    expect(mine.recommendations.map(({ item }) => item)).toEqual(others.recommendations.map(({ item }) => item));
  });
});
