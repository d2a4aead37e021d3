import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { identityIds } from '../../src/data/id-map.ts';
import { drawValidation } from '../../src/data/validation.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import type { TrainProgress } from '../../src/train/epoch.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, LESSON_LIKE, TINY, tasteGroups } from './fixture.ts';
import { hurry } from './hurry.ts';

const on = useGpu();
const IDS = { userIds: identityIds(GROUPS.users), itemIds: identityIds(GROUPS.items) };

describe('after a warm-up epoch', () => {
  it.each<[string, Partial<TrainSettings>]>([
    ['with the lesson’s way of training', LESSON_LIKE],
    ['with gmf by plain gradient descent', { ...TINY, model: 'gmf', optimizer: 'sgd', eval: 'loo' }],
    [
      'with hard negatives, a schedule and a best epoch',
      { ...TINY, sampler: 'hard', eval: 'both', schedule: 'plateau', validation: true },
    ],
  ])('%s steps, evaluations, checkpoints and progress reports make no buffer and no bind group', async (_, given) => {
    const { gpu } = on;
    const reports: TrainProgress[] = [];
    const onProgress = (progress: TrainProgress) => reports.push(progress);
    const settings = { eval: 'loo', ...given, epochs: 3 } as const;
    const trainer = await Trainer.create(gpu, drawValidation(GROUPS, 1), settings, { onProgress });
    const clock = hurry();
    let made: { buffers: number; bindGroups: number } | undefined;
    let reportsBefore = 0;
    for await (const { epoch } of trainer) {
      await encodeCheckpoint(trainer, IDS);
      const { buffers, bindGroups } = gpu.counters;
      if (epoch === 1) reportsBefore = reports.length;
      made ??= { buffers, bindGroups };
      expect({ buffers, bindGroups }, `after epoch ${epoch}`).toEqual(made);
    }
    clock.mockRestore();
    expect(reports.length, 'reports after the warm-up').toBeGreaterThan(reportsBefore);
    const { samples } = trainer.sampler;
    for (const { done, total, loss } of reports) {
      expect(total).toBe(samples);
      expect(done).toBeLessThanOrEqual(total);
      expect(loss).toBeGreaterThan(0);
    }
  });
});

it('20,000 steps leave no more memory behind than the first thousand', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const split = tasteGroups({ users: 20, items: 40, groups: 2, perUser: 6 });
  const settings = { ...TINY, model: 'gmf', gmfDim: 1, batchSize: 1, epochs: 41 } as const;
  const trainer = await Trainer.create(on.gpu, split, settings);
  let before: { bytes: number; buffers: number } | undefined;
  for await (const _ of trainer) {
    if (trainer.step >= 1000) before ??= { bytes: used(), buffers: on.gpu.counters.buffers };
  }
  expect(trainer.step).toBeGreaterThan(20_000);
  // As many staging buffers as are ever read at once: three submits in flight, and a report.
  expect(on.gpu.counters.buffers - before!.buffers, 'buffers').toBeLessThanOrEqual(4);
  expect(used() - before!.bytes, 'bytes').toBeLessThan(1 << 20);
});
