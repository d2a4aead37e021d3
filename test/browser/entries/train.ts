/** Trains a small model and tells everything about it, in a page or in Node. */

import type { Evaluated } from '../../../src/evaluate/evaluation.ts';
import { Gpu } from '../../../src/gpu/device.ts';
import type { TrainSettings } from '../../../src/train/settings.ts';
import { Trainer } from '../../../src/train/trainer.ts';
import { drawn, tasteGroups } from '../../train/fixture.ts';

export interface Account {
  adapter: string;
  /** The first, second and last batch of two epochs. */
  batches: Awaited<ReturnType<typeof drawn>>[];
  /** Of every step. */
  losses: number[];
  metrics: Evaluated;
  weights: Record<string, number[]>;
}

export async function main(settings: Partial<TrainSettings>): Promise<Account> {
  const gpu = await Gpu.open();
  const split = tasteGroups({ users: 200, items: 100, groups: 5, perUser: 12 });
  const trainer = await Trainer.create(gpu, split, { ...settings, epochs: 2 });
  const { sampler } = trainer;
  const batches = [];
  for (const epoch of [0, 1]) {
    for (const batch of [0, 1, sampler.batches - 1]) {
      batches.push(await drawn(gpu, sampler, epoch * sampler.batches + batch));
    }
  }
  const losses = [];
  for await (const _ of trainer) losses.push(...trainer.losses.values);
  const weights: Account['weights'] = {};
  for (const [name, tensor] of trainer.model.parameters.entries()) weights[name] = [...(await tensor.data())];
  const metrics = await trainer.evaluate();
  gpu.close();
  return { adapter: gpu.adapterName, batches, losses, metrics, weights };
}
