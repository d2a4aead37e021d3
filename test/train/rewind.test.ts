/** Runs that go back when a step leaves the numbers, and come to an end at a lower rate. */
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { identityIds } from '../../src/data/id-map.ts';
import { drawValidation } from '../../src/data/validation.ts';
import { NonFiniteError } from '../../src/errors.ts';
import { checkpointInfo, encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import type { RecoveredEvent } from '../../src/train/history.ts';
import { LastingRun, type LastingRunOptions } from '../../src/train/lasting-run.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { Trainer, type TrainerOptions } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, LESSON_LIKE, TINY } from './fixture.ts';
import { hurry } from './hurry.ts';

const on = useGpu();
const IDS = { userIds: identityIds(GROUPS.users), itemIds: identityIds(GROUPS.items) };
/** Gradient descent that runs away within the first epoch, and an eighth or so of whose rate does not. */
const WILD = { ...TINY, model: 'mlp', mlpDim: 4, mlpLayers: [4], optimizer: 'sgd', lr: 100, onNan: 'rewind' } as const;

type Bytes = Uint8Array<ArrayBuffer>;

/** Trains from the beginning or a checkpoint, and tells of what was gone back from. */
async function run(settings: Partial<TrainSettings>, from?: Bytes, options: TrainerOptions = {}, split = GROUPS) {
  const events: RecoveredEvent[] = [];
  const onRecovered = (event: RecoveredEvent) => void events.push(event);
  const trainer = await Trainer.create(on.gpu, split, settings, { ...options, onRecovered });
  if (from) restoreCheckpoint(trainer, from, 'checkpoint', IDS);
  const checkpoints: Bytes[] = [];
  for await (const _ of trainer) checkpoints.push(await encodeCheckpoint(trainer, IDS));
  return { trainer, events, checkpoints };
}

async function outcome({ trainer }: { readonly trainer: Trainer }) {
  const history = trainer.history.map(({ seconds, evalSeconds, samplesPerSecond, ...rest }) => rest);
  const { step, best } = trainer;
  const rewinds = trainer.rewinds.map(({ step, factor }) => ({ step, factor }));
  return { step, history, best, rewinds, sha: await trainer.weightsSha256() };
}

describe('a run whose rate is absurd', () => {
  it('goes back, halves it until the loss stays finite, and says so; twice it comes to the same bits', async () => {
    const first = await run({ ...WILD, epochs: 2 });
    const { trainer, events } = first;
    expect(events.length).toBeGreaterThan(0);
    events.forEach((event, i) => {
      expect(event).toMatchObject({ event: 'recovered', reason: 'not finite', factor: 2 ** -(i + 1) });
      expect(event.step % 42).toBe(0);
      const rate = WILD.lr / 2 ** i;
      expect(event.message).toMatch(
        /^the loss became (NaN|-?Infinity) in epoch [12] at step \d+ of 42, at a learning /,
      );
      expect(event.message.endsWith(` rate of ${rate}`), event.message).toBe(true);
    });
    expect(trainer.rewinds).toEqual(events);
    expect(trainer.finished).toBe(true);
    const { history } = trainer;
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2]);
    for (const { loss } of history) expect(loss).toBeLessThan(1e6);
    expect(history.at(-1)!.lr).toBe(WILD.lr / 2 ** events.length);

    const second = await run({ ...WILD, epochs: 2 });
    expect(second.events).toEqual(events);
    expect(await outcome(second)).toEqual(await outcome(first));
  });

  it('goes on from its checkpoints at the rate that it has come to, to the same bits', async () => {
    const straight = await run({ ...WILD, epochs: 3 });
    const resumed = await run({ ...WILD, epochs: 3 }, straight.checkpoints[0]);
    expect(resumed.trainer.rewinds[0]).toEqual(straight.events[0]);
    expect(await outcome(resumed)).toEqual(await outcome(straight));

    const abort = new AbortController();
    const clock = hurry();
    const within = await run({ ...WILD, epochs: 3 }, undefined, {
      signal: abort.signal,
      stepsPerSubmit: 2,
      onProgress: ({ epoch }) => epoch === 2 && abort.abort(),
    });
    clock.mockRestore();
    expect(within.trainer.stopped).toBe(true);
    expect(within.trainer.step % 42, 'within an epoch').toBeGreaterThan(0);
    const stopped = await encodeCheckpoint(within.trainer, IDS);
    expect(await outcome(await run({ ...WILD, epochs: 3 }, stopped))).toEqual(await outcome(straight));
  });

  it('gives up after five times, with what it has tried', async () => {
    const trainer = await Trainer.create(on.gpu, GROUPS, { ...WILD, lr: 1e12 });
    const ended = (async () => {
      for await (const _ of trainer);
    })();
    await expect(ended).rejects.toBeInstanceOf(NonFiniteError);
    await expect(ended).rejects.toThrow(
      /, at a learning rate of 31250000000; 5 times it was gone back and the rate halved, and that has not helped$/,
    );
    expect(trainer.rewinds).toHaveLength(5);
    await expect(encodeCheckpoint(trainer, IDS)).rejects.toBeInstanceOf(NonFiniteError);
  });
});

it('an epoch that ends with a moment out of the numbers is gone back from before anybody hears of it', async () => {
  const trainer = await Trainer.create(on.gpu, GROUPS, { ...WILD, optimizer: 'adam', lr: 1e12 });
  const ended = (async () => {
    for await (const epoch of trainer) throw new Error(`heard of epoch ${epoch.epoch}`);
  })();
  await expect(ended).rejects.toThrow(/^optimizer\.v\.\S+\[\d+, \d+\] is Infinity after step 42, in epoch 1, /);
  expect(trainer.rewinds.map((rewind) => rewind.step)).toEqual([0, 0, 0, 0, 0]);
});

describe('a run whose weights go wrong in its third epoch', () => {
  const SPLIT = drawValidation(GROUPS, 1);
  const settings = { ...LESSON_LIKE, lr: 0.1, epochs: 4, validation: true, batchSize: 500, onNan: 'rewind' } as const;

  /** Spoils a layer once, at some step of the epoch: which one makes no difference. */
  async function spoilt(from?: Bytes) {
    let trainer: Trainer | undefined;
    let spoilt = false;
    const events: RecoveredEvent[] = [];
    const clock = hurry();
    trainer = await Trainer.create(on.gpu, SPLIT, settings, {
      stepsPerSubmit: 1,
      onRecovered: (event) => events.push(event),
      onProgress: ({ epoch }) => {
        if (epoch < 3 || spoilt) return;
        spoilt = true;
        const weights = trainer!.model.parameters.get('mlp.0.weight');
        weights.write(new Float32Array(weights.size).fill(Number.NaN));
      },
    });
    if (from) restoreCheckpoint(trainer, from, 'checkpoint', IDS);
    const checkpoints: Bytes[] = [];
    for await (const _ of trainer) checkpoints.push(await encodeCheckpoint(trainer, IDS));
    clock.mockRestore();
    expect(events).toHaveLength(1);
    expect(events[0]!.message).toMatch(/ in epoch 3 at step \d of 5, at a learning rate of 0\.1$/);
    return { trainer, checkpoints };
  }

  it('goes on from the end of the second as a run at half the rate would, also when it is resumed there', async () => {
    const straight = await spoilt();
    expect(straight.trainer.history.map(({ lr }) => lr)).toEqual([0.1, 0.1, 0.05, 0.05]);
    expect(straight.trainer.rewinds).toMatchObject([{ step: 10, factor: 0.5 }]);

    const resumed = await spoilt(straight.checkpoints[1]);
    expect(await outcome(resumed)).toEqual(await outcome(straight));

    const halved = await run({ ...settings, lr: 0.05 }, straight.checkpoints[1], {}, SPLIT);
    expect({ ...(await outcome(halved)), rewinds: null }).toEqual({ ...(await outcome(straight)), rewinds: null });
  });
});

describe('a lasting run whose weights go wrong', () => {
  const data = { name: 'groups', split: GROUPS, interactions: 576, duplicates: 0 };
  const dataset: Dataset = { ...data, ...IDS, lastBy: 'file order' };

  /** Spoils a layer right after the first state was kept. */
  async function spoilt(settings: Partial<TrainSettings>, options: LastingRunOptions) {
    let kept = 0;
    const events: RecoveredEvent[] = [];
    const run = await LastingRun.create(on.gpu, dataset, settings, {
      ...options,
      onRecovered: (event) => events.push(event),
      onKept: () => {
        if (++kept > 1) return;
        const { model } = (run.pretraining?.present ?? run).trainer;
        const weights = model.parameters.get('output_layer.weight');
        weights.write(new Float32Array(weights.size).fill(Number.NaN));
      },
    });
    return { run, events };
  }

  it('is put back where it was last kept, to be used and saved', async () => {
    const { run } = await spoilt({ ...TINY, epochs: 3 }, {});
    const ended = (async () => {
      for await (const _ of run);
    })();
    await expect(ended).rejects.toThrow('the loss became NaN in epoch 2 at step 1 of 42');
    const { trainer } = run;
    expect([trainer.step, trainer.history.length]).toEqual([42, 1]);
    const good = await Trainer.create(on.gpu, GROUPS, { ...TINY, epochs: 1 });
    for await (const _ of good);
    expect(await trainer.weightsSha256()).toBe(await good.weightsSha256());
    expect(checkpointInfo(await encodeCheckpoint(trainer, IDS), 'saved').step).toBe(42);
  });

  it('goes back within a branch of its pre-training, and names the branch', async () => {
    const pretrain = { epochs: 2 };
    const { run, events } = await spoilt({ ...TINY, epochs: 1, onNan: 'rewind' }, { pretrain });
    for await (const _ of run);
    expect(events).toMatchObject([{ reason: 'not finite', branch: 'gmf', step: 42, factor: 0.5 }]);
    const rates = run.pretraining!.history.map(({ branch, lr }) => [branch, lr]);
    expect(rates).toEqual([
      ['gmf', 1e-3],
      ['gmf', 5e-4],
      ['mlp', 1e-3],
      ['mlp', 1e-3],
    ]);
  });
});
