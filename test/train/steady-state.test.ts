import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { TrainProgress } from '../../src/train/epoch.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, LESSON_LIKE, TINY, tasteGroups } from './fixture.ts';
import { hurry } from './hurry.ts';

const on = useGpu();

describe('after a warm-up epoch', () => {
  it.each([
    ['with the lesson’s way of training', LESSON_LIKE],
    ['with gmf by plain gradient descent', { ...TINY, model: 'gmf', optimizer: 'sgd' }],
  ] as const)('%s steps, evaluations and progress reports make no buffer and no bind group', async (_, settings) => {
    const { gpu } = on;
    const reports: TrainProgress[] = [];
    const onProgress = (progress: TrainProgress) => reports.push(progress);
    const trainer = await Trainer.create(gpu, GROUPS, { ...settings, epochs: 3, eval: 'loo' }, { onProgress });
    const clock = hurry();
    let made: { buffers: number; bindGroups: number } | undefined;
    let reportsBefore = 0;
    for await (const { epoch } of trainer) {
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
  expect(on.gpu.counters.buffers).toBe(before!.buffers);
  expect(used() - before!.bytes, 'bytes').toBeLessThan(1 << 20);
});
