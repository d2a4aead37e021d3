/** Numbers that go wrong: in which step that is noticed, what is said of it, and what is kept. */
import { describe, expect, it } from 'vitest';
import { identityIds } from '../../src/data/id-map.ts';
import { DataError, NonFiniteError } from '../../src/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/models/safetensors.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import { extendCheckpoint } from '../../src/train/extend.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { readStateDict } from '../../src/train/state-dict.ts';
import { Trainer, type TrainerOptions } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { drawn, GROUPS, LESSON_LIKE, TINY, trained } from './fixture.ts';

const on = useGpu();
const IDS = { userIds: identityIds(GROUPS.users), itemIds: identityIds(GROUPS.items) };
const GMF = { ...TINY, model: 'gmf', gmfDim: 4, batchSize: 16, epochs: 2 } as const;
const ITEM = 17;

/** Trains until it fails. */
async function failure(trainer: Trainer): Promise<NonFiniteError> {
  const run = async () => {
    for await (const _ of trainer);
  };
  const error = await run().then(
    () => new Error('nothing went wrong'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(NonFiniteError);
  return error;
}

/** A trainer one of whose tables has `value` in the row of one item or user. */
async function poisoned(settings: Partial<TrainSettings>, value: number, options: TrainerOptions = {}) {
  const trainer = await Trainer.create(on.gpu, GROUPS, settings, options);
  const table = trainer.model.parameters.get('gmf_item_emb.weight');
  const rows = (await table.data()) as Float32Array<ArrayBuffer>;
  rows.fill(value, ITEM * table.shape[1]!, (ITEM + 1) * table.shape[1]!);
  table.write(rows);
  return trainer;
}

/** The first step, from 1, whose batch has the item. */
async function firstWith(trainer: Trainer, item: number) {
  for (let step = 0; ; step++) {
    const batch = await drawn(on.gpu, trainer.sampler, step);
    if (batch.items.includes(item)) return { step: step + 1, batch };
  }
}

const said = (what: string, step: number, { sampler, settings }: Trainer) =>
  `${what} in epoch 1 at step ${step} of ${sampler.batches}, at a learning rate of ${settings.lr}`;

describe.each(['adam', 'lazy-adam', 'sgd'] as const)('a weight that is not finite, with %s,', (optimizer) => {
  it.each([
    ['one step a submit', 1, Number.NaN],
    ['all in one', 1000, Number.POSITIVE_INFINITY],
  ])('is noticed in the step that first looks it up, %s', async (_, stepsPerSubmit, value) => {
    const trainer = await poisoned({ ...GMF, optimizer }, value, { stepsPerSubmit });
    const { step, batch } = await firstWith(trainer, ITEM);
    expect(step, 'not the very first').toBeGreaterThan(1);
    const error = await failure(trainer);
    const left = /NaN|-?Infinity/.exec(error.message)?.[0];
    expect(error.message).toBe(said(`the loss became ${left}`, step, trainer));
    expect(error).toMatchObject({ step, epoch: 1, lr: trainer.settings.lr });
    const { users, items, labels } = error;
    expect({ users: [...users], items: [...items], labels: [...labels] }).toEqual(batch);
  });
});

it.each<[string, Partial<TrainSettings>]>([
  ['dense layers', { optimizer: 'sgd' }],
  ['the fused step', {}],
  ['BatchNorm and dropout', { batchNorm: true, dropout: 0.2 }],
])('a layer whose weights are no numbers is noticed at once, with %s: no rectifier hides it', async (_, settings) => {
  const trainer = await Trainer.create(on.gpu, GROUPS, {
    ...TINY,
    gmfDim: 4,
    mlpDim: 4,
    mlpLayers: [8, 4],
    ...settings,
  });
  const layer = trainer.model.parameters.get('mlp.0.weight');
  layer.write(new Float32Array(layer.size).fill(Number.NaN));
  expect((await failure(trainer)).message).toBe(said('the loss became NaN', 1, trainer));
});

/**
 * A trainer in whose batches with the item gradients of 10²⁵ meet logits of 0: their squares have no sum in f32, and the
 * loss shows nothing.
 */
async function steep(settings: Partial<TrainSettings>, options: TrainerOptions = {}) {
  const trainer = await poisoned(settings, 1e25, options);
  const users = trainer.model.parameters.get('gmf_user_emb.weight');
  users.write(new Float32Array(users.size));
  return trainer;
}

describe.each(['adam', 'sgd'] as const)('a gradient norm that is not finite, with %s,', (optimizer) => {
  const settings = { ...GMF, optimizer, clipNorm: 1 };

  it('is noticed in its step, though the loss is finite', async () => {
    const trainer = await steep(settings, { stepsPerSubmit: 1000 });
    const { step } = await firstWith(trainer, ITEM);
    const error = await failure(trainer);
    expect(error.message).toBe(said('the gradients’ norm became Infinity', step, trainer));
    expect(error.items).toContain(ITEM);
  });

  it('ends the run with at most the two submits that were in flight beside its own', async () => {
    const trainer = await steep(settings, { stepsPerSubmit: 1 });
    const { step } = await failure(trainer);
    const [taken] = await trainer.clock.step.data();
    expect(taken).toBeLessThanOrEqual(step + 2);
  });

  it('leaves nothing to go on from, until a checkpoint is restored', async () => {
    const trainer = await steep(settings);
    const good = await encodeCheckpoint(await Trainer.create(on.gpu, GROUPS, settings), IDS);
    const error = await failure(trainer);
    await expect(encodeCheckpoint(trainer, IDS)).rejects.toBe(error);
    expect(await failure(trainer)).toBe(error);
    restoreCheckpoint(trainer, good, 'good', IDS);
    for await (const _ of trainer);
    expect(await trainer.weightsSha256()).toBe(await (await trained(on.gpu, settings)).weightsSha256());
  });
});

it('of a batch whose negatives the model chose, the positives are told', async () => {
  const trainer = await poisoned({ ...GMF, sampler: 'hard', hardFrom: 1 }, Number.NaN);
  const { step, users, items, labels } = await failure(trainer);
  const batch = await drawn(on.gpu, trainer.sampler, step - 1);
  const positives = batch.labels.flatMap((label, row) => (label ? [row] : []));
  expect([...users]).toEqual(positives.map((row) => batch.users[row]));
  expect([...items]).toEqual(positives.map((row) => batch.items[row]));
  expect([...labels]).toEqual(positives.map(() => 1));
});

it('weights that the last step of an epoch took out of the numbers go into no checkpoint', async () => {
  // Weight decay alone moves a weight by 10⁵⁰ times itself, in the one step there is; its loss was that of before.
  const beyond = { lr: 1e30, weightDecay: 1e20 };
  const trainer = await trained(on.gpu, { ...GMF, ...beyond, optimizer: 'sgd', batchSize: 1e5, epochs: 1 });
  expect(trainer.history).toHaveLength(1);
  const refused = encodeCheckpoint(trainer, IDS);
  await expect(refused).rejects.toBeInstanceOf(NonFiniteError);
  await expect(refused).rejects.toMatchObject({
    message: expect.stringMatching(
      /^gmf_user_emb\.weight\[0, 0\] is (NaN|-?Infinity) after step 1, in epoch 1, at a learning rate of 1e\+30$/,
    ),
    step: 1,
    epoch: 1,
    users: new Uint32Array(),
  });
});

describe('a file with a value that is not finite is refused, with the tensor and the place:', () => {
  const settings = { ...LESSON_LIKE, epochs: 1, eval: 'none' } as const;
  const damaged = async (name: string, at: number, value: number) => {
    const { tensors, metadata } = decodeSafetensors(
      await encodeCheckpoint(await trained(on.gpu, settings), IDS),
      'good',
    );
    tensors.get(name)!.data[at] = value;
    return encodeSafetensors({ tensors, metadata });
  };

  it.each([
    ['mlp.0.weight', 8 * 2 + 3, Number.NaN, 'mlp.0.weight[2, 3] is NaN'],
    ['output_layer.bias', 0, Number.POSITIVE_INFINITY, 'output_layer.bias[0] is Infinity'],
    [
      'optimizer.v.gmf_item_emb.weight',
      4 * 79 + 1,
      Number.NEGATIVE_INFINITY,
      'optimizer.v.gmf_item_emb.weight[79, 1] is -Infinity',
    ],
  ])('a checkpoint, %s', async (name, at, value, place) => {
    const bytes = await damaged(name, at, value);
    const trainer = await Trainer.create(on.gpu, GROUPS, settings);
    const message = `run: ${place}; a file of finite numbers would be right`;
    expect(() => restoreCheckpoint(trainer, bytes, 'run', IDS)).toThrow(new DataError(message));
    await expect(extendCheckpoint(trainer, bytes, 'run', IDS)).rejects.toThrow(new DataError(message));
    expect(await trainer.weightsSha256(), 'nothing changed').toBe(
      await (await Trainer.create(on.gpu, GROUPS, settings)).weightsSha256(),
    );
  });

  it('a state dict', async () => {
    const bytes = await damaged('mlp.1.running_var', 5, Number.NaN);
    const message = 'state: mlp.1.running_var[5] is NaN; a file of finite numbers would be right';
    expect(() => readStateDict(bytes, 'state')).toThrow(new DataError(message));
  });
});
