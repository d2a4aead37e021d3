import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { identityIds } from '../../src/data/id-map.ts';
import { drawValidation } from '../../src/data/validation.ts';
import { DataError } from '../../src/errors.ts';
import { Pacer } from '../../src/gpu/pacer.ts';
import { SCHEDULES } from '../../src/models/config.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/models/safetensors.ts';
import { checkpointInfo, encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import { OPTIMIZERS, SAMPLERS } from '../../src/train/choices.ts';
import { Pretraining } from '../../src/train/pretrain.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { Trainer, type TrainerOptions } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, LESSON_LIKE, trained } from './fixture.ts';
import { hurry } from './hurry.ts';

const on = useGpu();
const IDS = { userIds: identityIds(GROUPS.users), itemIds: identityIds(GROUPS.items) };
const SPLIT = drawValidation(GROUPS, 1);
/** A rate at which HR@10 rises and falls, so that the schedule, patience and the best epoch all have something to do. */
const SETTINGS = {
  ...LESSON_LIKE,
  lr: 0.1,
  epochs: 12,
  validation: true,
  patience: 4,
  schedule: 'plateau',
  schedulePatience: 0,
  warmUp: 1,
} as const;

async function outcome(trainer: Trainer) {
  const history = trainer.history.map(({ seconds, evalSeconds, samplesPerSecond, ...rest }) => rest);
  return { step: trainer.step, history, best: trainer.best, sha: await trainer.weightsSha256() };
}

async function resumed(bytes: Uint8Array<ArrayBuffer>, settings: Partial<TrainSettings> = SETTINGS, split = SPLIT) {
  const trainer = await Trainer.create(on.gpu, split, settings);
  restoreCheckpoint(trainer, bytes, 'checkpoint', IDS);
  for await (const _ of trainer);
  return trainer;
}

/** A run that is stopped after so many epochs, or within the next one. */
async function stopped(epochs: number, where: 'between epochs' | 'within an epoch') {
  const abort = new AbortController();
  const onProgress: TrainerOptions['onProgress'] = ({ epoch }) => {
    if (epoch > epochs && where === 'within an epoch') abort.abort();
  };
  const clock = hurry();
  const trainer = await Trainer.create(on.gpu, SPLIT, SETTINGS, {
    signal: abort.signal,
    onProgress,
    stepsPerSubmit: 2,
  });
  for await (const { epoch } of trainer) if (epoch === epochs && where === 'between epochs') abort.abort();
  clock.mockRestore();
  const within = trainer.step % trainer.sampler.batches > 0;
  expect([trainer.stopped, trainer.history.length, within]).toEqual([true, epochs, where === 'within an epoch']);
  return trainer;
}

describe('a run with warm-up, plateau and early stopping', () => {
  let straight: Trainer;
  let checkpoints: Uint8Array<ArrayBuffer>[];

  beforeAll(async () => {
    straight = await Trainer.create(on.gpu, SPLIT, SETTINGS);
    checkpoints = [];
    for await (const _ of straight) checkpoints.push(await encodeCheckpoint(straight, IDS));
  });

  it('lowers its rate, ends early, and its last weights are not the best', () => {
    const { history, best, step, sampler } = straight;
    const rates = history.map(({ lr }) => lr);
    expect(rates.slice(0, 2)).toEqual([0.05, 0.1]);
    expect(rates.at(-1)).toBeLessThan(0.1);
    expect(history).toHaveLength(best!.epoch + SETTINGS.patience);
    expect(step).toBeLessThan(SETTINGS.epochs * sampler.batches);
  });

  it.each([1, 3, 4].flatMap((epochs) => [[epochs, 'between epochs'] as const, [epochs, 'within an epoch'] as const]))(
    'stopped after %i epochs, %s, goes on to the bits of one that was not',
    async (epochs, where) => {
      const first = await stopped(epochs, where);
      expect(first.best, 'nothing was tested').not.toHaveProperty('hr@10');
      const second = await resumed(await encodeCheckpoint(first, IDS));
      expect(await outcome(second)).toEqual(await outcome(straight));
    },
  );

  it('has nothing left to train when it is resumed at its end, and says the same again', async () => {
    const final = await encodeCheckpoint(straight, IDS);
    expect(Buffer.compare(final, checkpoints.at(-1)!), 'its checkpoint is that of the last epoch').toBe(0);
    expect(await outcome(await resumed(final))).toEqual(await outcome(straight));
  });

  it('goes on from its end with more patience, as one that always had it', async () => {
    const patient = { ...SETTINGS, patience: 6 };
    const second = await resumed(checkpoints.at(-1)!, patient);
    expect(second.history.length).toBeGreaterThan(straight.history.length);
    expect(await outcome(second)).toEqual(await outcome(await trained(on.gpu, patient, {}, SPLIT)));
  });

  it('has the best weights under PyTorch’s names, and those to go on from beside them', async () => {
    const { tensors } = decodeSafetensors(checkpoints.at(-1)!, 'checkpoint');
    for (const [name, tensor] of straight.model.parameters.entries()) {
      expect(tensors.get(name)!.data, name).toEqual(await tensor.data());
    }
    const [stored, last] = ['', 'trainer.last.'].map((prefix) => tensors.get(`${prefix}mlp.0.weight`)!);
    expect(last!.shape).toEqual(stored!.shape);
    expect(last!.data).not.toEqual(stored!.data);
  });

  it('is refused without its last weights, and by a run that has no validation items', async () => {
    const { tensors, metadata } = decodeSafetensors(checkpoints.at(-1)!, 'checkpoint');
    const without = new Map([...tensors].filter(([name]) => name !== 'trainer.last.mlp.0.bias'));
    const damaged = encodeSafetensors({ tensors: without, metadata });
    await expect(resumed(damaged)).rejects.toThrow(
      new DataError('checkpoint: weights of the last step: it has no tensor mlp.0.bias, which this model needs'),
    );
    const { patience: _, ...settings } = SETTINGS;
    await expect(resumed(checkpoints.at(-1)!, { ...settings, validation: false })).rejects.toThrow(
      new DataError('checkpoint: it was trained with validation items, and this run has none'),
    );
  });
});

it('pre-training with validation goes on from any epoch to the same bits', async () => {
  const settings = { ...SETTINGS, epochs: 3, patience: 1 };
  const newRun = () => Pretraining.create(on.gpu, SPLIT, settings, { epochs: 3 });
  const rest = async (run: Pretraining) => {
    for await (const _ of run);
    return outcome(run.trainer);
  };
  const straight = await newRun();
  const checkpoints: Uint8Array<ArrayBuffer>[] = [];
  for await (const _ of straight) checkpoints.push(await straight.encodeCheckpoint(IDS));
  const expected = await outcome(straight.trainer);
  for (const bytes of checkpoints) {
    const run = await newRun();
    await run.restoreCheckpoint(bytes, 'checkpoint', IDS);
    expect(await rest(run)).toEqual(expected);
  }
});

it('a checkpoint from before there were schedules and validation goes on at its one rate', async () => {
  const settings = { ...LESSON_LIKE, epochs: 1 };
  const first = await trained(on.gpu, settings);
  const { tensors, metadata } = decodeSafetensors(await encodeCheckpoint(first, IDS), 'checkpoint');
  const { schedule: _, scheduleFactor: __, warmUp: ___, validation: ____, patience: _____, ...old } = first.settings;
  const history = JSON.stringify(first.history.map(({ lr: _, ...event }) => event));
  const bytes = encodeSafetensors({ tensors, metadata: { ...metadata, settings: JSON.stringify(old), history } });

  const info = checkpointInfo(bytes, 'checkpoint');
  expect(info.settings).toMatchObject({ schedule: 'constant', validation: false });
  const second = await resumed(bytes, { ...info.settings, epochs: 2 }, GROUPS);
  expect(await outcome(second)).toEqual(await outcome(await trained(on.gpu, { ...settings, epochs: 2 })));
});

describe('whatever the settings, and after whichever steps it is stopped,', () => {
  const EPOCHS = 3;
  const settings: fc.Arbitrary<Partial<TrainSettings>> = fc
    .record({
      model: fc.constantFrom('mf', 'gmf', 'mlp', 'neumf', 'two-tower'),
      gmfDim: fc.integer({ min: 3, max: 4 }),
      batchNorm: fc.boolean(),
      dropout: fc.constantFrom(0, 0.3),
      optimizer: fc.constantFrom(...OPTIMIZERS),
      clipNorm: fc.option(fc.constant(0.5)),
      weightDecay: fc.constantFrom(0, 0.01),
      sampler: fc.constantFrom(...SAMPLERS),
      ipsPower: fc.constantFrom(0, 0.5),
      schedule: fc.constantFrom(...SCHEDULES),
      warmUp: fc.nat(2),
      validation: fc.boolean(),
      batchSize: fc.integer({ min: 300, max: 900 }),
      seed: fc.nat(0xffffffff),
    })
    .map((given) => (given.optimizer === 'lazy-adam' ? { ...given, gmfDim: 4 } : given)); // it works by fours
  const all = { mlpDim: 4, mlpLayers: [6, 4], lr: 0.05, epochs: EPOCHS, eval: 'loo' } as const;

  /** Goes on from a checkpoint until so many steps are done in all. */
  async function until(step: number, trainer: Trainer, abort: AbortController): Promise<void> {
    const { submitted } = Pacer.prototype;
    let done = trainer.step;
    let own: Pacer | undefined; // evaluations have theirs
    const spy = vi.spyOn(Pacer.prototype, 'submitted').mockImplementation(function (this: Pacer, repeats) {
      own ??= this;
      if (this === own) done += repeats;
      if (done >= step) abort.abort();
      return submitted.call(this, repeats);
    });
    try {
      for await (const _ of trainer);
    } finally {
      spy.mockRestore();
    }
  }

  it('a run goes on to the bits of one that was not', async () => {
    const property = fc.asyncProperty(
      settings,
      fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
      async (given, places) => {
        const straight = await trained(on.gpu, { ...all, ...given }, {}, SPLIT);
        const total = EPOCHS * straight.sampler.batches;
        const stops = places.map((place) => place % (total + 1)).sort((a, b) => a - b);
        let bytes: Uint8Array<ArrayBuffer> | undefined;
        for (const step of stops) {
          const abort = new AbortController();
          const options = { signal: abort.signal, stepsPerSubmit: 1 };
          const trainer = await Trainer.create(on.gpu, SPLIT, { ...all, ...given }, options);
          if (bytes) restoreCheckpoint(trainer, bytes, 'checkpoint', IDS);
          if (trainer.step >= step) abort.abort();
          await until(step, trainer, abort);
          expect(trainer.step).toBe(step);
          bytes = await encodeCheckpoint(trainer, IDS);
        }
        expect(await outcome(await resumed(bytes!, { ...all, ...given }))).toEqual(await outcome(straight));
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 12 });
  });
});
