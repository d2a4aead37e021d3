import { describe, expect, it } from 'vitest';
import { BatchSampler } from '../../src/train/sampler.ts';
import { useGpu } from '../gpu-fixture.ts';
import { drawn, GROUPS, splitOf, trained } from './fixture.ts';

const on = useGpu();
const SETTINGS = { batchSize: 300, negatives: 4, sampler: 'uniform', seed: 42 } as const;

/** All samples of an epoch, 0 for the first. */
async function epochOf(sampler: BatchSampler, epoch: number) {
  const batches = [];
  for (let b = 0; b < sampler.batches; b++) batches.push(await drawn(on.gpu, sampler, epoch * sampler.batches + b));
  return batches.flatMap(({ users, items, labels }) =>
    users.map((user, i) => ({ user, item: items[i]!, label: labels[i]! })),
  );
}

const positivesOf = ({ train, users }: typeof GROUPS) =>
  Array.from({ length: users }, (_, user) => [
    ...train.items.subarray(train.offsets[user], train.offsets[user + 1]),
  ]).flatMap((items, user) => items.map((item) => `${user} ${item}`));

describe.each(['uniform', 'popularity'] as const)('an epoch with %s negatives', (sampling) => {
  const samplerOf = () => new BatchSampler(on.gpu, GROUPS, { ...SETTINGS, sampler: sampling });

  it('has every training interaction once, and as many negatives of its user as asked for', async () => {
    const samples = await epochOf(samplerOf(), 0);
    const positives = samples.filter(({ label }) => label === 1).map(({ user, item }) => `${user} ${item}`);
    expect(positives.toSorted()).toEqual(positivesOf(GROUPS).toSorted());
    const perUser = new Array(GROUPS.users).fill(0);
    for (const { user, label } of samples) if (label === 0) perUser[user]++;
    expect(perUser).toEqual(new Array(GROUPS.users).fill(4 * 11));
  });

  it('draws no training item of the user as a negative, but the held-out one as any other', async () => {
    const trained = new Set(positivesOf(GROUPS));
    const heldOut = new Set(Array.from(GROUPS.test.users, (user, i) => `${user} ${GROUPS.test.items[i]}`));
    const samples = [...(await epochOf(samplerOf(), 0)), ...(await epochOf(samplerOf(), 1))];
    const negatives = samples.filter(({ label }) => label === 0).map(({ user, item }) => `${user} ${item}`);
    expect(negatives.filter((pair) => trained.has(pair))).toEqual([]);
    expect(negatives.filter((pair) => heldOut.has(pair)).length).toBeGreaterThan(0);
  });

  it('is drawn anew every epoch, in another order', async () => {
    const [first, second] = [await epochOf(samplerOf(), 0), await epochOf(samplerOf(), 1)];
    const items = (samples: typeof first, label: number) =>
      samples.filter((sample) => sample.label === label).map(({ item }) => item);
    expect(items(second, 1)).not.toEqual(items(first, 1));
    expect(items(second, 0).toSorted()).not.toEqual(items(first, 0).toSorted());
  });

  it('is another one with another seed', async () => {
    const other = new BatchSampler(on.gpu, GROUPS, { ...SETTINGS, sampler: sampling, seed: 43 });
    expect(await epochOf(other, 0)).not.toEqual(await epochOf(samplerOf(), 0));
  });
});

it('popular items are drawn more often where popularity is asked for', async () => {
  // Item 0 has 30 users, items 1 to 9 have one each; the 10 others are nobody's and never drawn.
  const rows = Array.from({ length: 40 }, (_, user): [number, number][] => [
    [user, user < 30 ? 0 : 1 + (user % 9)],
    [user, 10 + (user % 10)],
  ]).flat();
  const split = splitOf(rows, 40, 20);
  const sampler = new BatchSampler(on.gpu, split, { ...SETTINGS, sampler: 'popularity', negatives: 50 });
  const counts = new Array(20).fill(0);
  for (const { user, item, label } of await epochOf(sampler, 0)) if (label === 0 && user >= 30) counts[item]++;
  const weights = [30 ** 0.75, ...new Array(8).fill(1), 2 ** 0.75];
  expect(counts.slice(10)).toEqual(new Array(10).fill(0));
  const share = counts[0] / (10 * 50);
  // A user's own item, of weight 1 or 2^0.75, is rejected.
  expect(share).toBeCloseTo(weights[0]! / (weights.reduce((a, b) => a + b) - 1), 1);
});

describe('three users with one interaction each to train on, two in a batch', () => {
  const rows = [0, 1, 2].flatMap((user): [number, number][] => [
    [user, user],
    [user, user + 3],
  ]);
  const split = splitOf(rows, 3, 6);
  const settings = { gmfDim: 2, mlpDim: 2, mlpLayers: [2], batchSize: 2, negatives: 0, eval: 'none', lr: 1 } as const;

  async function changedUsers(other: object, epochs: number): Promise<number[]> {
    const all = { ...settings, optimizer: 'sgd', epochs, ...other } as const;
    const table = (trainer: Awaited<ReturnType<typeof trained>>) =>
      trainer.model.parameters.get('gmf_user_emb.weight').data();
    const after = await trained(on.gpu, all, {}, split);
    const before = await trained(on.gpu, { ...all, lr: 1e-30 }, {}, split);
    const [a, b] = [await table(after), await table(before)];
    return [0, 1, 2].filter((user) => a[2 * user] !== b[2 * user]);
  }

  it('the shorter last batch is trained on', async () => {
    const sampler = new BatchSampler(on.gpu, split, { ...SETTINGS, ...settings });
    expect([sampler.batches, sampler.rows(0), sampler.rows(1), sampler.leftOut]).toEqual([2, 2, 1, 0]);
    expect(await changedUsers({}, 1)).toEqual([0, 1, 2]);
  });

  it('the shorter last batch counts by its samples in the epoch’s loss', async () => {
    const lossOf = async (batchSize: number) => {
      const { history } = await trained(on.gpu, { ...settings, lr: 1e-30, epochs: 1, batchSize }, {}, split);
      return history[0]!.loss;
    };
    expect(await lossOf(2)).toBeCloseTo(await lossOf(3), 6);
  });

  it('with BatchNorm the last batch of one is left out, another one every epoch', async () => {
    const sampler = new BatchSampler(on.gpu, split, { ...SETTINGS, ...settings }, true);
    expect([sampler.batches, sampler.rows(0), sampler.leftOut]).toEqual([1, 2, 1]);
    expect(await changedUsers({ batchNorm: true }, 1)).toHaveLength(2);
    expect(await changedUsers({ batchNorm: true }, 4)).toEqual([0, 1, 2]);
  });

  it('gmf has nothing to normalise, so BatchNorm leaves nothing out of it', async () => {
    expect(await changedUsers({ model: 'gmf', batchNorm: true }, 1)).toEqual([0, 1, 2]);
  });
});
