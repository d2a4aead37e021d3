import type { ModelConfig } from '../../src/models/config.ts';
import { CpuTrainer } from './cpu-trainer.ts';
import { twoTowerLogits } from './cpu-two-tower.ts';

/** Logits of pairs as in evaluation, by plain loops in float64. */
export function cpuLogits(
  config: ModelConfig,
  weights: ReadonlyMap<string, number[]>,
  users: readonly number[],
  items: readonly number[],
): number[] {
  const { model } = config;
  if (model === 'two-tower') return twoTowerLogits(config, weights, { users, items });
  const adam = { lr: 0, betas: [0, 0], eps: 0, weightDecay: 0 } as const;
  return new CpuTrainer({ ...config, model, adam, clipNorm: null }, weights).evaluate(users, items);
}
