/** Runs whose devices are lost: one loss at a time, each for a reason, and then a few at random. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { loseDevices } from '../../bench/reliability/device-loss/trials.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { identityIds } from '../../src/data/id-map.ts';
import { drawValidation } from '../../src/data/validation.ts';
import { DeviceLostError, NoAdapterError } from '../../src/errors.ts';
import { Evaluation } from '../../src/evaluate/evaluation.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { Pacer } from '../../src/gpu/pacer.ts';
import { Plan } from '../../src/gpu/plan.ts';
import { BestWeights } from '../../src/train/best-weights.ts';
import { checkpointInfo, encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import type { RecoveredEvent } from '../../src/train/history.ts';
import { LastingRun, type LastingRunOptions } from '../../src/train/lasting-run.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { GROUPS, trained } from './fixture.ts';

const DATASET: Dataset = {
  name: 'groups',
  split: GROUPS,
  userIds: identityIds(GROUPS.users),
  itemIds: identityIds(GROUPS.items),
  interactions: 576,
  duplicates: 0,
  lastBy: 'file order',
};
/** A small model, as many are built. */
const SETTINGS = { model: 'gmf', gmfDim: 4, batchSize: 200, lr: 0.01, epochs: 3 } as const;

/** A run, and what it says of its losses. */
async function newRun(
  options: LastingRunOptions = {},
  gpu?: Gpu,
  settings: Partial<TrainSettings> = SETTINGS,
  dataset = DATASET,
) {
  const recoveries: RecoveredEvent[] = [];
  const run = await LastingRun.create(gpu ?? (await Gpu.open()), dataset, settings, {
    onRecovered: (event) => recoveries.push(event),
    ...options,
  });
  return { run, recoveries };
}

/** Trains to the end, and does something at every epoch. */
async function toTheEnd(run: LastingRun, atEpoch: (epoch: number) => void = () => {}) {
  const losses: number[] = [];
  for await (const { epoch, loss } of run) {
    losses.push(loss);
    atEpoch(epoch);
  }
  const sha = await run.withTrainer((trainer) => trainer.weightsSha256());
  const told = run.trainer.history.map(({ loss }) => loss);
  run.close();
  expect(told.slice(-losses.length)).toEqual(losses);
  return { losses, sha };
}

/** Destroys the device once, when that method is called next and has begun. */
function loseIn<T extends object>(owner: T, method: keyof T, device: GPUDevice): void {
  const original = owner[method] as (...args: unknown[]) => unknown;
  owner[method] = function (this: unknown, ...args: unknown[]) {
    owner[method] = original as T[keyof T];
    const begun = original.apply(this, args);
    device.destroy();
    return begun;
  } as T[keyof T];
}

let straight: Awaited<ReturnType<typeof toTheEnd>>;

beforeAll(async () => {
  straight = await toTheEnd((await newRun()).run);
});

afterEach(() => vi.restoreAllMocks());

describe('a run whose device is lost', () => {
  it('goes on from the last epoch to the same bits, and says so', async () => {
    const { run, recoveries } = await newRun();
    const lost = run.gpu;
    const outcome = await toTheEnd(run, (epoch) => epoch === 2 && run.gpu === lost && lost.device.destroy());
    expect(outcome).toEqual(straight);
    const { batches } = run.trainer.sampler;
    expect(recoveries).toEqual([
      {
        event: 'recovered',
        reason: 'device lost',
        step: 2 * batches,
        message: expect.stringMatching(/^the GPU device was lost/),
      },
    ]);
  });

  it.each([
    ['it is built', (device: GPUDevice) => loseIn(Plan.prototype, 'compile', device)],
    ['its steps are under way', (device: GPUDevice) => loseIn(Pacer.prototype, 'submitted', device)],
    ['its first epoch is evaluated', (device: GPUDevice) => loseIn(Evaluation.prototype, 'metrics', device)],
    ['its first epoch’s state is read back', (device: GPUDevice) => loseIn(BestWeights.prototype, 'both', device)],
  ])('while %s, ends with the same bits', async (_, lose) => {
    const gpu = await Gpu.open();
    lose(gpu.device);
    const { run, recoveries } = await newRun({}, gpu);
    expect(await toTheEnd(run)).toEqual(straight);
    expect(recoveries.map(({ step }) => step)).toEqual([0]);
  });

  it('goes on from within an epoch, where states are kept there', async () => {
    const steps: number[] = [];
    const { run, recoveries } = await newRun({
      stepsPerSubmit: 5,
      keepSeconds: 0,
      onKept: (bytes) => {
        steps.push(checkpointInfo(bytes, 'kept').step);
        if (steps.length === 5) run.gpu.device.destroy();
      },
    });
    expect(await toTheEnd(run)).toEqual(straight);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    const { batches } = run.trainer.sampler;
    expect(steps[4]! % batches).toBeGreaterThan(0);
    expect(recoveries.map(({ step }) => step)).toEqual([steps[4]]);
  });

  it('begins again with what it began with, where nothing was kept', async () => {
    const gpu = await Gpu.open();
    const first = await trained(gpu, { ...SETTINGS, epochs: 1 });
    const bytes = await encodeCheckpoint(first, DATASET);
    const begin = vi.fn((trainer) => restoreCheckpoint(trainer, bytes, 'checkpoint', DATASET));
    const { run, recoveries } = await newRun({ begin }, gpu);
    gpu.device.destroy();
    const { sha } = await toTheEnd(run);
    expect(sha).toBe(straight.sha);
    expect(begin).toHaveBeenCalledTimes(2);
    expect(recoveries.map(({ step }) => step)).toEqual([first.step]);
  });

  it('answers for its end again, with the best epoch’s weights and their figures', async () => {
    const settings = { ...SETTINGS, lr: 0.1, epochs: 8, validation: true, patience: 2 };
    const { run } = await newRun({}, undefined, settings, { ...DATASET, split: drawValidation(GROUPS, 1) });
    for await (const _ of run);
    const { best, history } = run.trainer;
    expect(best!.epoch).toBeLessThan(history.length);
    const sha = await run.trainer.weightsSha256();
    run.gpu.device.destroy();
    expect(await run.withTrainer((trainer) => trainer.weightsSha256())).toBe(sha);
    expect(run.trainer.best).toEqual(best);
    run.close();
  });

  it('tries three times to open another one, the last time after five seconds', async () => {
    const { run } = await newRun();
    const open = vi.spyOn(Gpu, 'open').mockRejectedValue(new NoAdapterError('no WebGPU adapter'));
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    run.gpu.device.destroy();
    const end = toTheEnd(run).catch((error) => error);
    for (let attempt = 1; attempt <= 3; attempt++) {
      await vi.waitFor(() => expect(open).toHaveBeenCalledTimes(attempt));
      await vi.advanceTimersByTimeAsync(5000);
    }
    vi.useRealTimers();
    const error = await end;
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(error.message).toMatch(
      /^the GPU device was lost \(destroyed\): .*; 3 attempts to go on with another failed, the last with: no WebGPU adapter$/,
    );
    vi.restoreAllMocks();
    expect(await toTheEnd(run), 'whoever trains on has three more').toEqual(straight);
  });
});

it('a borrowed device is not replaced: its owner hears of it', async () => {
  const owner = await Gpu.open();
  const { run, recoveries } = await newRun({}, await Gpu.borrow(owner.device));
  const open = vi.spyOn(Gpu, 'open');
  owner.device.destroy();
  const training = toTheEnd(run);
  await expect(training).rejects.toThrow(DeviceLostError);
  await expect(training).rejects.toThrow(/^the borrowed GPU device was lost .*; its owner must open another one$/);
  expect([open.mock.calls, recoveries]).toEqual([[], []]);
});

it('devices that are lost at random moments change nothing', async () => {
  const { losses, recoveries, wrong } = await loseDevices(3, 2);
  expect(wrong).toEqual([]);
  expect(losses).toBe(3);
  expect(recoveries).toBeGreaterThan(0);
});
