import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinLists } from '../../src/data/item-lists.ts';
import type { Split } from '../../src/data/split.ts';
import { Model } from '../../src/models/model.ts';
import { SAMPLERS } from '../../src/train/choices.ts';
import { BatchSampler } from '../../src/train/sampler.ts';
import { modelConfig, resolveSettings } from '../../src/train/settings.ts';
import { useGpu } from '../gpu-fixture.ts';
import { drawn, GROUPS, splitOf, TINY, trained } from './fixture.ts';

const on = useGpu();
const SETTINGS = {
  hardCandidates: 8,
  batchSize: 300,
  negatives: 4,
  sampler: 'uniform',
  samplerPower: 0.75,
  ipsPower: 0,
  ipsClip: 10,
  seed: 42,
} as const;

/** All samples of an epoch, 0 for the first. @param model makes its negatives hard */
async function epochOf(sampler: BatchSampler, epoch: number, model?: Model) {
  const batches = [];
  for (let b = 0; b < sampler.batches; b++) {
    batches.push(await drawn(on.gpu, sampler, epoch * sampler.batches + b, model));
  }
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

describe.each([0.5, 1])('negatives by popularity^%d', (power) => {
  // Item i < 20 has about 40 / (i + 1) users of 40, items 20 to 23 have none; 200 negatives beside each positive.
  const rows = Array.from({ length: 20 }, (_, item) =>
    Array.from({ length: Math.ceil(40 / (item + 1)) }, (_, k): [number, number] => [(7 * item + k) % 40, item]),
  ).flat();
  const heldOut = Array.from({ length: 40 }, (_, user): [number, number] => [user, 23]);
  const split = splitOf([...rows, ...heldOut], 40, 24);
  const own = Array.from({ length: 40 }, (_, user) => new Set(rows.flatMap(([u, item]) => (u === user ? [item] : []))));
  const users = Array.from({ length: 20 }, (_, item) => own.filter((items) => items.has(item)).length);

  async function countsOf(): Promise<number[][]> {
    const settings = {
      ...SETTINGS,
      batchSize: 65536,
      sampler: 'popularity',
      samplerPower: power,
      negatives: 200,
    } as const;
    const counts = own.map(() => new Array<number>(24).fill(0));
    for (const { user, item, label } of await epochOf(new BatchSampler(on.gpu, split, settings), 0)) {
      if (label === 0) counts[user]![item]!++;
    }
    return counts;
  }

  /**
   * Pearson's chi-square statistic of all users' negatives over its critical value at a significance of 0.001 (Wilson
   * and Hilferty 1931). What is expected of a user is users^exponent over the items that the user has not taken.
   */
  function chiSquare(counts: number[][], exponent: number): number {
    let [statistic, freedom] = [0, 0];
    counts.forEach((drawn, user) => {
      const weights = users.map((n, item) => (own[user]!.has(item) ? 0 : n ** exponent));
      const total = weights.reduce((a, b) => a + b);
      const draws = 200 * own[user]!.size;
      freedom -= 1;
      weights.forEach((weight, item) => {
        const expected = (weight / total) * draws;
        if (weight === 0) return;
        statistic += (drawn[item]! - expected) ** 2 / expected;
        freedom += 1;
      });
    });
    const spread = 2 / (9 * freedom);
    return statistic / (freedom * (1 - spread + 3.0902 * Math.sqrt(spread)) ** 3);
  }

  it('pass a chi-square test against each user’s distribution, rejection included, and no other power does', async () => {
    const counts = await countsOf();
    expect(chiSquare(counts, power)).toBeLessThan(1);
    for (const other of [power - 0.25, power + 0.25]) expect(chiSquare(counts, other)).toBeGreaterThan(1);
  });

  it('are never what nobody, or the user, has taken', async () => {
    (await countsOf()).forEach((drawn, user) => {
      const never = drawn.filter((_, item) => item >= 20 || own[user]!.has(item));
      expect(new Set(never)).toEqual(new Set([0]));
    });
  });
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

it.each(SAMPLERS)(
  'whoever took what: %s negatives are never what their user has taken, and all that was taken comes once',
  async (name) => {
    const ITEMS = 6;
    const taken = fc
      .uniqueArray(fc.nat(ITEMS - 1), { maxLength: ITEMS - 1 })
      .map((items) => items.sort((a, b) => a - b));
    const lists = fc.array(taken, { minLength: 1, maxLength: 5 }).filter((users) => users.flat().length > 0);
    const change = fc.record({
      batchSize: fc.integer({ min: 4, max: 40 }),
      negatives: fc.integer({ min: 1, max: 4 }),
      samplerPower: fc.double({ min: 0, max: 2, noNaN: true }),
      hardCandidates: fc.integer({ min: 1, max: 5 }),
      seed: fc.nat(0xffffffff),
    });
    const property = fc.asyncProperty(lists, change, fc.nat(99), async (users, changed, epoch) => {
      const split: Split = {
        users: users.length,
        items: ITEMS,
        train: joinLists(users),
        validation: null,
        test: { users: new Uint32Array(), items: new Uint32Array() },
        negatives: null,
        untested: users.length,
      };
      const settings = resolveSettings({ ...TINY, ...changed, sampler: name });
      const model = name === 'hard' ? new Model(on.gpu, modelConfig(settings, users.length, ITEMS), 1) : undefined;
      const samples = await epochOf(new BatchSampler(on.gpu, split, settings), epoch, model);
      const pairs = (wanted: number) =>
        samples.filter(({ label }) => label === wanted).map(({ user, item }) => `${user} ${item}`);
      expect(pairs(1).sort()).toEqual(positivesOf(split).sort());
      expect(pairs(0)).toHaveLength(settings.negatives * pairs(1).length);
      expect(pairs(0).filter((pair) => positivesOf(split).includes(pair))).toEqual([]);
    });
    await fc.assert(property, { seed: 1, numRuns: 12 });
  },
);
