import { describe, expect, it } from 'vitest';
import { identityIds, StringIds } from '../../src/data/id-map.ts';
import { checkpointInfo, encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { Trainer, type TrainerOptions } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, LESSON_LIKE, trained } from './fixture.ts';
import { hurry } from './hurry.ts';

const on = useGpu();
const IDS = { userIds: identityIds(GROUPS.users), itemIds: identityIds(GROUPS.items) };

async function outcome(trainer: Trainer) {
  const history = trainer.history.map(({ epoch, loss, 'hr@10': hr, 'ndcg@10': ndcg }) => ({ epoch, loss, hr, ndcg }));
  return { step: trainer.step, history, sha: await trainer.weightsSha256() };
}

/** A new trainer that goes on where the bytes say. */
async function resumed(settings: Partial<TrainSettings>, bytes: Uint8Array<ArrayBuffer>, options?: TrainerOptions) {
  const trainer = await Trainer.create(on.gpu, GROUPS, settings, options);
  restoreCheckpoint(trainer, bytes, 'checkpoint', IDS);
  for await (const _ of trainer);
  return trainer;
}

describe.each<[string, Partial<TrainSettings>]>([
  ['the lesson’s way of training', LESSON_LIKE],
  ['paper sizes', { preset: 'paper-8' }],
  ['gradient descent with dropout', { ...LESSON_LIKE, optimizer: 'sgd', batchNorm: false }],
  ['mf', { model: 'mf' }],
  ['two towers by softmax', { model: 'two-tower', loss: 'in-batch-softmax', dropout: 0.1 }],
  ['lazy Adam', { ...LESSON_LIKE, optimizer: 'lazy-adam', weightDecayTables: 0.01 }],
  ['momentum', { ...LESSON_LIKE, optimizer: 'sgd', lr: 0.1, momentum: 0.9, weightDecayBiases: 0.1 }],
  ['hard negatives', { ...LESSON_LIKE, sampler: 'hard', hardCandidates: 4 }],
  ['gradient descent of gmf', { model: 'gmf', optimizer: 'sgd', lr: 1 }],
])('with %s', (_, given) => {
  const settings = { ...given, batchSize: 24, epochs: 3 };

  it('a run aborted within an epoch goes on to the bits of one that was not', async () => {
    const abort = new AbortController();
    const onProgress: TrainerOptions['onProgress'] = ({ epoch }) => {
      if (epoch === 2) abort.abort();
    };
    const clock = hurry();
    const first = await trained(on.gpu, settings, { signal: abort.signal, onProgress, stepsPerSubmit: 2 });
    clock.mockRestore();
    const { batches } = first.sampler;
    expect([first.stopped, first.history.length, Math.floor(first.step / batches)]).toEqual([true, 1, 1]);
    expect(first.step % batches, 'steps of the second epoch').toBeGreaterThan(0);

    const second = await resumed(settings, await encodeCheckpoint(first, IDS));
    expect(await outcome(second)).toEqual(await outcome(await trained(on.gpu, settings)));
  });
});

describe('a checkpoint of a finished run', () => {
  it('has nothing left to train, and more epochs go on from it', async () => {
    const settings = { ...LESSON_LIKE, epochs: 2 };
    const finished = await trained(on.gpu, settings);
    const bytes = await encodeCheckpoint(finished, IDS);
    expect(await outcome(await resumed(settings, bytes))).toEqual(await outcome(finished));
    const longer = { ...settings, epochs: 3 };
    expect(await outcome(await resumed(longer, bytes))).toEqual(await outcome(await trained(on.gpu, longer)));
  });

  it('tells settings, step, history and ids', async () => {
    const trainer = await trained(on.gpu, { ...LESSON_LIKE, epochs: 1 });
    const others = Array.from({ length: GROUPS.items - 4 }, (_, i) => `item ${i}`);
    const itemIds = new StringIds(['héllo', '0', '“quoted”', '__proto__', ...others]);
    const bytes = await encodeCheckpoint(trainer, { userIds: IDS.userIds, itemIds });
    const info = checkpointInfo(bytes, 'checkpoint');
    expect(info).toMatchObject({ settings: trainer.settings, step: trainer.step, history: trainer.history });
    expect([info.userIds.size, info.userIds.ids, info.itemIds.ids]).toEqual([48, null, itemIds.ids]);
  });
});

it.each<Partial<TrainSettings>>([
  { optimizer: 'adam' },
  { optimizer: 'lazy-adam' },
  { optimizer: 'sgd', momentum: 0.9, lr: 0.1 },
])('a trainer that went on goes the same way again from a checkpoint: %o', async (own) => {
  const settings = { ...LESSON_LIKE, ...own, eval: 'none' as const, epochs: 2 };
  const bytes = await encodeCheckpoint(await trained(on.gpu, { ...settings, epochs: 1 }), IDS);
  const trainer = await trained(on.gpu, settings);
  const first = await outcome(trainer);
  restoreCheckpoint(trainer, bytes, 'checkpoint', IDS);
  for await (const _ of trainer);
  expect(await outcome(trainer)).toEqual(first);
});

describe('stopped', () => {
  it('is a run that was aborted before it began, and its checkpoint starts it', async () => {
    const first = await trained(on.gpu, { ...LESSON_LIKE, epochs: 1 }, { signal: AbortSignal.abort() });
    expect([first.stopped, first.step, first.history]).toEqual([true, 0, []]);
    const second = await resumed({ ...LESSON_LIKE, epochs: 1 }, await encodeCheckpoint(first, IDS));
    expect(await outcome(second)).toEqual(await outcome(await trained(on.gpu, { ...LESSON_LIKE, epochs: 1 })));
  });

  it('is not a run that was aborted when it had done all its epochs', async () => {
    const abort = new AbortController();
    const trainer = await Trainer.create(on.gpu, GROUPS, { ...LESSON_LIKE, epochs: 1 }, { signal: abort.signal });
    for await (const _ of trainer) abort.abort();
    expect(trainer.stopped).toBe(false);
  });
});
