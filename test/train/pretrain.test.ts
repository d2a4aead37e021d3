import { beforeAll, describe, expect, it } from 'vitest';
import { identityIds } from '../../src/data/id-map.ts';
import { drawValidation } from '../../src/data/validation.ts';
import { ConfigError, DataError } from '../../src/errors.ts';
import { fuse } from '../../src/models/fuse.ts';
import { decodeSafetensors } from '../../src/models/safetensors.ts';
import { loadWeights, readWeights } from '../../src/models/weights.ts';
import { checkpointInfo, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { branchSettings, FINE_TUNING_LR, fineTuning } from '../../src/train/fine-tuning.ts';
import type { EpochEvent } from '../../src/train/history.ts';
import { Pretraining, pretrainingInfo } from '../../src/train/pretrain.ts';
import { resolveSettings, type TrainSettings } from '../../src/train/settings.ts';
import { Trainer, type TrainerOptions } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { drawn, GROUPS, LESSON_LIKE, tasteGroups, trained } from './fixture.ts';
import { hurry } from './hurry.ts';

const on = useGpu();
const IDS = { userIds: identityIds(GROUPS.users), itemIds: identityIds(GROUPS.items) };
const { lr: _, ...RUN } = { ...LESSON_LIKE, batchSize: 48, epochs: 3 };
const PRETRAIN = { epochs: 2, alpha: 0.4 };

type NewRun = (options?: TrainerOptions) => Promise<Pretraining>;
const newRun: NewRun = (options = {}) => Pretraining.create(on.gpu, GROUPS, RUN, PRETRAIN, options);

const figures = ({ branch, epoch, loss, 'hr@10': hr }: EpochEvent) => ({ branch, epoch, loss, hr });

async function outcome(run: Pretraining) {
  for await (const _ of run);
  const epochs = [...run.history, ...run.trainer.history].map(figures);
  return { epochs, step: run.trainer.step, sha: await run.trainer.weightsSha256() };
}

/** What a run says that was stopped within an epoch, and what the run says that goes on from its checkpoint. */
async function stoppedAndResumed(make: NewRun, branch: EpochEvent['branch'], epoch: number) {
  const abort = new AbortController();
  const clock = hurry();
  const first = await make({
    signal: abort.signal,
    stepsPerSubmit: 2,
    onProgress: (progress) => {
      if (progress.branch === branch && progress.epoch === epoch) abort.abort();
    },
  });
  const stopped = { ...(await outcome(first)), isStopped: first.trainer.stopped };
  clock.mockRestore();
  const second = await make();
  await second.restoreCheckpoint(await first.encodeCheckpoint(IDS), 'checkpoint', IDS);
  return { stopped, resumed: await outcome(second) };
}

describe('a run with pre-training', () => {
  let straight: Awaited<ReturnType<typeof outcome>>;
  beforeAll(async () => {
    straight = await outcome(await newRun());
  });

  it('yields the epochs of GMF, of the MLP and of NeuMF, each with what was trained', async () => {
    const yielded: EpochEvent[] = [];
    for await (const epoch of await newRun()) yielded.push(epoch);
    expect(yielded.map(figures)).toEqual(straight.epochs);
    expect(straight.epochs.map(({ branch, epoch }) => [branch, epoch])).toEqual([
      ['gmf', 1],
      ['gmf', 2],
      ['mlp', 1],
      ['mlp', 2],
      [undefined, 1],
      [undefined, 2],
      [undefined, 3],
    ]);
  });

  it('is training GMF and the MLP, fusing them, and training NeuMF on', async () => {
    const settings = fineTuning(RUN);
    const branch = async (kind: 'gmf' | 'mlp') => {
      const { model } = await trained(on.gpu, branchSettings(settings, PRETRAIN, kind));
      return { weights: await readWeights(model), source: kind };
    };
    const neumf = await Trainer.create(on.gpu, GROUPS, settings);
    loadWeights(neumf.model, fuse(await branch('gmf'), await branch('mlp'), PRETRAIN.alpha), 'fused');
    for await (const _ of neumf);
    expect(await neumf.weightsSha256()).toBe(straight.sha);
  });

  it.each<['gmf' | 'mlp' | undefined, number]>([
    ['gmf', 2],
    ['mlp', 1],
    [undefined, 1],
  ])('stopped within %s’s epoch %d, goes on to the same bits', async (branch, epoch) => {
    const { stopped, resumed } = await stoppedAndResumed(newRun, branch, epoch);
    const { epochs, isStopped } = stopped;
    expect([isStopped, epochs]).toEqual([true, straight.epochs.slice(0, epochs.length)]);
    expect(straight.epochs[epochs.length]).toMatchObject({ epoch, ...(branch && { branch }) });
    expect(resumed).toEqual(straight);
  });

  it('begins from a checkpoint of a run that has not begun', async () => {
    const [first, second] = [await newRun(), await newRun()];
    const checkpoint = await first.encodeCheckpoint(IDS);
    expect(pretrainingInfo(checkpoint, 'checkpoint')?.branch).toBe('gmf');
    await second.restoreCheckpoint(checkpoint, 'checkpoint', IDS);
    expect(await outcome(second)).toEqual(straight);
    expect(await outcome(first), 'the run that was saved').toEqual(straight);
  });

  it('goes on from a checkpoint after any epoch, which says what it is of', async () => {
    const run = await newRun();
    const said: unknown[] = [];
    for await (const { branch } of run) {
      const bytes = await run.encodeCheckpoint(IDS);
      const info = pretrainingInfo(bytes, 'checkpoint')!;
      expect(info).toMatchObject({ settings: run.trainer.settings, pretrain: PRETRAIN });
      said.push([info.branch, info.history.length, checkpointInfo(bytes, 'checkpoint').settings.model]);
      if (branch === 'mlp') continue;
      const second = await newRun();
      await second.restoreCheckpoint(bytes, 'checkpoint', IDS);
      expect(await outcome(second)).toEqual(straight);
    }
    expect(said).toEqual([
      ['gmf', 1, 'gmf'],
      ['gmf', 2, 'gmf'],
      ['mlp', 3, 'mlp'],
      ['mlp', 4, 'mlp'],
      [null, 4, 'neumf'],
      [null, 4, 'neumf'],
      [null, 4, 'neumf'],
    ]);
  });
});

it('with validation items a branch that is trained for too long hands on its best weights, also when it was stopped', async () => {
  const split = drawValidation(GROUPS, 1);
  const pretrain = { epochs: 9, alpha: 0.5 };
  const settings = { ...RUN, validation: true, patience: 1, epochs: 2 };
  const make: NewRun = (options = {}) => Pretraining.create(on.gpu, split, settings, pretrain, options);
  const run = await make();
  const straight = await outcome(run);
  const trainedFor = (kind: EpochEvent['branch']) => run.history.filter(({ branch }) => branch === kind).length;
  expect(trainedFor('gmf'), 'GMF’s epochs').toBeLessThan(9);
  expect((await stoppedAndResumed(make, 'mlp', 2)).resumed).toEqual(straight);

  const whole = fineTuning(settings);
  const trainer = await trained(on.gpu, branchSettings(whole, pretrain, 'gmf'), {}, split);
  expect(trainer.best!.epoch).toBeLessThan(trainedFor('gmf'));
  const other = await make();
  let bytes!: Uint8Array<ArrayBuffer>;
  for await (const { branch } of other) {
    bytes = await other.encodeCheckpoint(IDS);
    if (branch === 'mlp') break;
  }
  const { tensors } = decodeSafetensors(bytes, 'checkpoint');
  for (const [name, { data }] of await readWeights(trainer.model)) {
    expect(tensors.get(`pretrained.gmf.${name}`)!.data, name).toEqual(data);
  }
});

describe('the branches', () => {
  const settings = fineTuning({ ...RUN, lr: 0.5 });

  it('are trained by Adam at the preset’s rate, NeuMF by gradient descent at its own', () => {
    expect(settings).toMatchObject({ model: 'neumf', optimizer: 'sgd', lr: 0.5, momentum: 0 });
    const adam = { optimizer: 'adam', lr: 1e-3, epochs: 2, weightDecay: 1e-6 };
    expect(branchSettings(settings, PRETRAIN, 'gmf')).toMatchObject({ model: 'gmf', ...adam });
    expect(branchSettings(settings, PRETRAIN, 'mlp')).toMatchObject({ model: 'mlp', ...adam });
  });

  it('and NeuMF draw different negatives, in other orders', async () => {
    const batches = [settings, ...(['gmf', 'mlp'] as const).map((kind) => branchSettings(settings, PRETRAIN, kind))];
    const all = await Promise.all(
      batches.map(async (of) => {
        const { sampler } = await Trainer.create(on.gpu, GROUPS, { ...of, eval: 'none' });
        return drawn(on.gpu, sampler, 0);
      }),
    );
    for (const column of ['users', 'items'] as const) {
      expect(new Set(all.map((batch) => batch[column].join())).size, column).toBe(3);
    }
  });

  it('are judged on the same candidates as NeuMF', async () => {
    const split = tasteGroups({ users: 10, items: 200, groups: 5, perUser: 4 }); // with more than 99 negatives a user
    const of = (given: Partial<TrainSettings>) => Trainer.create(on.gpu, split, { ...RUN, ...given });
    const neumf = await of({});
    const gmf = await of(branchSettings(neumf.settings, PRETRAIN, 'gmf'));
    expect(gmf.evaluation!.candidates).toEqual(neumf.evaluation!.candidates);
    expect(gmf.evaluation!.candidates).not.toEqual((await of({ seed: 5 })).evaluation!.candidates);
  });
});

it('fine-tuning has a rate of its own for gradient descent, and that of the preset for another optimizer', () => {
  expect(fineTuning({})).toEqual(resolveSettings({ optimizer: 'sgd', lr: FINE_TUNING_LR }));
  expect(fineTuning({ optimizer: 'sgd', momentum: 0.9 })).toMatchObject({ lr: FINE_TUNING_LR, momentum: 0.9 });
  expect(fineTuning({ optimizer: 'adam' })).toEqual(resolveSettings({ optimizer: 'adam' }));
});

describe('what cannot be pre-trained is refused:', () => {
  it.each<[Partial<TrainSettings>, { epochs?: number; alpha?: number }, string]>([
    [{ model: 'gmf' }, {}, 'pre-training of gmf: only neumf is fused from two models; model neumf would be right'],
    [{}, { epochs: 0 }, 'pre-training epochs 0: an integer of at least 1 would be right'],
    [{}, { alpha: 1.5 }, 'pre-training alpha 1.5: a number from 0 to 1 would be right'],
    [{}, { alpha: Number.NaN }, 'pre-training alpha NaN: a number from 0 to 1 would be right'],
  ])('%o with %o', async (settings, pretrain, message) => {
    const creation = Pretraining.create(on.gpu, GROUPS, { ...RUN, ...settings }, pretrain);
    await expect(creation).rejects.toThrow(new ConfigError(message));
  });

  it('a checkpoint of a run without it', async () => {
    const bytes = await encodeCheckpoint(await Trainer.create(on.gpu, GROUPS, RUN), IDS);
    await expect((await newRun()).restoreCheckpoint(bytes, 'run.safetensors', IDS)).rejects.toThrow(
      new DataError('run.safetensors: it is of a run without pre-training; one with it would be right'),
    );
  });
});
