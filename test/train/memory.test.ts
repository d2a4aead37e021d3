import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/autograd/clock.ts';
import { GpuOutOfMemoryError } from '../../src/errors.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { Model } from '../../src/models/model.ts';
import { memoryUse, withinMemory } from '../../src/train/memory.ts';
import { newOptimizer, updatesRows } from '../../src/train/optimizer.ts';
import { modelConfig, resolveSettings, type TrainSettings } from '../../src/train/settings.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, TINY } from './fixture.ts';

const on = useGpu();
const SETTINGS = resolveSettings({ ...TINY, gmfDim: 8, mlpDim: 32, mlpLayers: [16] });
const CONFIG = modelConfig(SETTINGS, 1000, 200);

describe('what a model takes', () => {
  it('is counted by table, with what its optimizer keeps and without gradients that it does not', () => {
    expect(memoryUse(CONFIG, SETTINGS)).toEqual([
      { name: 'gmf_user_emb.weight', shape: '1000 × 8', weights: 32000, gradients: 0, moments: 64000 },
      { name: 'gmf_item_emb.weight', shape: '200 × 8', weights: 6400, gradients: 0, moments: 12800 },
      { name: 'mlp_user_emb.weight', shape: '1000 × 32', weights: 128000, gradients: 0, moments: 256000 },
      { name: 'mlp_item_emb.weight', shape: '200 × 32', weights: 25600, gradients: 0, moments: 51200 },
      // (64 + 1) · 16 + (24 + 1) parameters, and 20 bytes for each row that Adam takes note of
      { name: 'all else', shape: '', weights: 4260, gradients: 4260, moments: 2 * 4260 + 20 * 1200 },
    ]);
    const [table] = memoryUse(CONFIG, { optimizer: 'sgd', momentum: 0 });
    expect(table).toMatchObject({ weights: 32000, gradients: 32000, moments: 0 });
    expect(memoryUse(CONFIG, { optimizer: 'sgd', momentum: 0.9 })[0]!.moments).toBe(32000);
    expect(memoryUse({ ...CONFIG, gmfDim: 7 }, SETTINGS)[0]).toMatchObject({ gradients: 28000, moments: 56000 });
  });

  it.each<[string, Partial<TrainSettings>]>([
    ['neumf by Adam', {}],
    ['gmf of 7 dimensions, which takes dense Adam', { model: 'gmf', gmfDim: 7 }],
    ['two towers by gradient descent with momentum', { model: 'two-tower', optimizer: 'sgd', momentum: 0.9 }],
  ])('is what is allocated, but for padding: %s', (_, given) => {
    const settings = { ...SETTINGS, ...given };
    const config = modelConfig(settings, 1000, 200);
    const model = new Model(on.gpu, config);
    const { state } = newOptimizer(model, new Clock(on.gpu), settings);
    const uses = memoryUse(config, settings);
    const sum = (key: 'weights' | 'gradients' | 'moments') => uses.reduce((all, use) => all + use[key], 0);
    const { weights, gradients } = model.parameters;
    const notes = updatesRows(
      settings,
      [model.tables.gmf ?? model.tables.mlp!].map(({ users }) => users),
    )
      ? 24_000
      : 0;
    const moments = Object.values(state).reduce((all, arena) => all + arena.size, 0);
    const pairs = [
      [weights.size, sum('weights')],
      [gradients.size, sum('gradients')],
      [moments + notes, sum('moments')],
    ];
    for (const [allocated, counted] of pairs) {
      expect(allocated).toBeGreaterThanOrEqual(counted!);
      expect(allocated! - counted!).toBeLessThan(8 * 256);
    }
  });
});

describe('a device with too little memory', () => {
  it('is told so before anything is allocated, with what would fit', async () => {
    const gpu = await Gpu.borrow(on.gpu.device, { memory: 200_000 });
    const { buffers } = gpu.counters;
    const refused = await Trainer.create(gpu, { ...GROUPS, users: 1000, items: 200 }, SETTINGS).catch((error) => error);
    expect(gpu.counters.buffers).toBe(buffers);
    expect(refused).toBeInstanceOf(GpuOutOfMemoryError);
    expect(refused.message).toBe(
      `the model and its optimizer need 602.6 KiB, and ${gpu.adapterName} has 195.3 KiB; gmfDim 4 with mlpDim 4, or 165 users would fit`,
    );
    expect(refused.plan.split('\n')).toEqual([
      '                       rows × columns    weights  gradients    moments   together',
      '  gmf_user_emb.weight        1000 × 8   31.3 KiB          –   62.5 KiB   93.8 KiB',
      '  gmf_item_emb.weight         200 × 8    6.3 KiB          –   12.5 KiB   18.8 KiB',
      '  mlp_user_emb.weight       1000 × 32  125.0 KiB          –  250.0 KiB  375.0 KiB',
      '  mlp_item_emb.weight        200 × 32   25.0 KiB          –   50.0 KiB   75.0 KiB',
      '  all else                               4.2 KiB    4.2 KiB   31.8 KiB   40.1 KiB',
      '  together                             191.7 KiB    4.2 KiB  406.8 KiB  602.6 KiB',
    ]);
    gpu.close();
  });

  it('can hold what is said to fit', async () => {
    for (const memory of [150_000, 234_567, 500_000]) {
      const gpu = await Gpu.borrow(on.gpu.device, { memory });
      const { message } = await withinMemory(gpu, CONFIG, SETTINGS, () => ({ message: '' })).catch((error) => error);
      const [, gmfDim, mlpDim, users] = /gmfDim (\d+) with mlpDim (\d+), or (\d+) users would fit/
        .exec(message)!
        .map(Number);
      const build = () => 'built';
      for (const config of [
        { ...CONFIG, gmfDim: gmfDim!, mlpDim: mlpDim! },
        { ...CONFIG, users: users! },
      ]) {
        expect(await withinMemory(gpu, config, SETTINGS, build)).toBe('built');
      }
      await expect(withinMemory(gpu, { ...CONFIG, users: users! + 1 }, SETTINGS, build)).rejects.toThrow(
        GpuOutOfMemoryError,
      );
      gpu.close();
    }
  });

  it('that says so itself is heard, with what needs how much', async () => {
    const build = () => {
      throw new GpuOutOfMemoryError('the GPU is out of memory: VK_ERROR_OUT_OF_DEVICE_MEMORY');
    };
    const refused = await withinMemory(on.gpu, CONFIG, SETTINGS, build).catch((error) => error);
    expect(refused.message).toBe(
      'the GPU is out of memory: VK_ERROR_OUT_OF_DEVICE_MEMORY; the model and its optimizer need 602.6 KiB',
    );
    expect(refused.plan).toContain('gmf_user_emb.weight');
  });
});
