import { beforeAll, describe, expect, it } from 'vitest';
import { identityIds, StringIds } from '../../src/data/id-map.ts';
import type { Split } from '../../src/data/split.ts';
import { drawValidation } from '../../src/data/validation.ts';
import { DataError } from '../../src/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/models/safetensors.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { extendCheckpoint } from '../../src/train/extend.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, LESSON_LIKE, tasteGroups, trained } from './fixture.ts';

const on = useGpu();
const idsOf = ({ users, items }: Split) => ({ userIds: identityIds(users), itemIds: identityIds(items) });

/** GROUPS has the first 48 users and 80 items of these. */
const GROWN = tasteGroups({ users: 61, items: 95, groups: 5, perUser: 12 });
const RUN = { ...LESSON_LIKE, epochs: 2, eval: 'none' } as const;

const newTrainer = (settings: Partial<TrainSettings>, split = GROWN) => Trainer.create(on.gpu, split, settings);

/** Everything that a trainer would go on from. */
async function contents(trainer: Trainer) {
  const { tensors } = decodeSafetensors(await encodeCheckpoint(trainer, idsOf(trainer.split)), 'own');
  return new Map([...tensors].filter(([name]) => name !== 'trainer.losses'));
}

async function extended(settings: Partial<TrainSettings>, bytes: Uint8Array<ArrayBuffer>, split = GROWN) {
  const trainer = await newTrainer(settings, split);
  await extendCheckpoint(trainer, bytes, 'old.safetensors', idsOf(split));
  return trainer;
}

describe.each<[string, Partial<TrainSettings>]>([
  ['the lesson’s way of training', RUN],
  ['mf, whose biases are narrower in files', { ...RUN, model: 'mf' }],
  ['two towers', { ...RUN, model: 'two-tower' }],
  ['momentum', { ...RUN, optimizer: 'sgd', momentum: 0.9 }],
])('with %s', (_, settings) => {
  let old: Trainer;
  let bytes: Uint8Array<ArrayBuffer>;

  beforeAll(async () => {
    old = await trained(on.gpu, settings);
    bytes = await encodeCheckpoint(old, idsOf(GROUPS));
  });

  it('old rows and their moments stay, new rows are a fresh model’s and have none', async () => {
    const before = await contents(old);
    const fresh = await contents(await newTrainer(settings));
    const after = await contents(await extended(settings, bytes));
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [name, { data, shape }] of after) {
      const known = before.get(name)!.data;
      expect([...data.subarray(0, known.length)], `old part of ${name}`).toEqual([...known]);
      expect([...data.subarray(known.length)], `new part of ${name}`).toEqual([
        ...fresh.get(name)!.data.subarray(known.length),
      ]);
      const rows = /user_(emb|bias)/.test(name) ? 61 : /item_(emb|bias)/.test(name) ? 95 : before.get(name)!.shape[0];
      expect(shape[0], name).toBe(rows);
      if (name.startsWith('optimizer.')) expect(data.subarray(known.length).every((value) => value === 0)).toBe(true);
    }
  });

  it('extended by nothing it is the same', async () => {
    const same = await extended(settings, bytes, GROUPS);
    expect(await contents(same)).toEqual(await contents(old));
    expect([same.step, same.history]).toEqual([0, []]);
  });
});

it('new users of new items are learnt beside the old ones, to the same bits every time', async () => {
  const sizes = { gmfDim: 8, mlpDim: 8, mlpLayers: [16, 8], batchSize: 128, lr: 0.03 };
  const first = await trained(on.gpu, { ...sizes, epochs: 6, eval: 'none' });
  const bytes = await encodeCheckpoint(first, idsOf(GROUPS));
  const { test } = GROWN;
  const isNew = (_: number, row: number) => test.users[row]! >= GROUPS.users;
  const split = { ...GROWN, test: { users: test.users.filter(isNew), items: test.items.filter(isNew) } };
  const outcome = async () => {
    const trainer = await extended({ ...sizes, epochs: 4 }, bytes, split);
    const before = await trainer.evaluate();
    for await (const _ of trainer);
    return { trainer, before, hr: trainer.history.at(-1)!['hr@10']!, sha: await trainer.weightsSha256() };
  };
  const { trainer, before, hr, sha } = await outcome();
  expect(hr).toBeGreaterThan(before['hr@10']! + 0.2);
  for (const baseline of Object.values(trainer.baselines())) expect(hr).toBeGreaterThan(baseline['hr@10']! + 0.2);
  expect((await outcome()).sha).toBe(sha);
});

it('the best epoch’s weights, where validation items chose it, begin with moments of zeros', async () => {
  const settings = { ...RUN, eval: 'loo', validation: true } as const;
  const old = await trained(on.gpu, settings, {}, drawValidation(GROUPS, 1));
  const bytes = await encodeCheckpoint(old, idsOf(GROUPS));
  const before = decodeSafetensors(bytes, 'old').tensors;
  const trainer = await newTrainer(settings, drawValidation(GROUPS, 1));
  await extendCheckpoint(trainer, bytes, 'old.safetensors', idsOf(GROUPS));
  const after = await contents(trainer);
  const moments = [...after].filter(([name]) => name.startsWith('optimizer.'));
  expect(moments.length).toBeGreaterThan(0);
  for (const [name, { data }] of moments)
    expect(
      data.every((value) => value === 0),
      name,
    ).toBe(true);
  for (const { name } of old.model.parameters.specs)
    expect(after.get(name)!.data, name).toEqual(before.get(name)!.data);
});

describe('a checkpoint is refused, and the trainer stays as it was,', () => {
  let trainer: Trainer;
  let before: Map<string, unknown>;
  beforeAll(async () => {
    trainer = await newTrainer(RUN);
    before = await contents(trainer);
  });

  async function expectRefused(bytes: Uint8Array<ArrayBuffer>, message: string) {
    const extension = extendCheckpoint(trainer, bytes, 'old.safetensors', idsOf(GROWN));
    await expect(extension).rejects.toThrow(new DataError(`old.safetensors: ${message}`));
    expect(await contents(trainer)).toEqual(before);
  }

  const checkpoint = async (settings: Partial<TrainSettings>, split = GROUPS, ids = idsOf(split)) =>
    encodeCheckpoint(await newTrainer({ ...RUN, ...settings }, split), ids);

  it.each<[string, Partial<TrainSettings>, string]>([
    ['of another model', { model: 'mlp' }, 'it has no tensor gmf_user_emb.weight, which this run needs'],
    ['of another optimizer', { optimizer: 'sgd' }, 'it was trained with sgd, and this run uses adam'],
    [
      'of other embeddings',
      { gmfDim: 8 },
      'gmf_user_emb.weight is [48, 8], and this model has [61, 4], which does not extend it',
    ],
    [
      'of other layers',
      { mlpLayers: [7, 4] },
      'mlp.0.weight is [7, 8], and this model has [8, 8], which does not extend it',
    ],
  ])('%s', async (_, settings, message) => {
    await expectRefused(await checkpoint(settings), message);
  });

  it('of more users than the data', async () => {
    const more = tasteGroups({ users: 62, items: 80, groups: 5, perUser: 12 });
    await expectRefused(
      await checkpoint({}, more),
      'gmf_user_emb.weight is [62, 4], and this model has [61, 4], which does not extend it',
    );
  });

  it('of other items first', async () => {
    const ids = { ...idsOf(GROUPS), itemIds: new StringIds(Array.from({ length: 80 }, (_, i) => `i${i}`)) };
    await expectRefused(
      await checkpoint({}, GROUPS, ids),
      `its item number 0 is "i0", and this data's is "0"; the data that it was trained on would be right`,
    );
  });

  it('of none of the data’s items', async () => {
    const { train } = GROWN;
    const other = { ...GROWN, train: { ...train, items: train.items.map((item) => Math.max(item, GROUPS.items)) } };
    const extension = extended(RUN, await checkpoint({}), other);
    await expect(extension).rejects.toThrow(
      new DataError('old.safetensors: none of its 80 items is in this data; data of the same catalogue would be right'),
    );
  });

  it('without its moments', async () => {
    const { tensors, metadata } = decodeSafetensors(await checkpoint({}), 'own');
    const fewer = new Map([...tensors].filter(([name]) => name !== 'optimizer.v.mlp.0.bias'));
    await expectRefused(
      encodeSafetensors({ tensors: fewer, metadata }),
      'it has no tensor optimizer.v.mlp.0.bias, which this run needs',
    );
  });
});
