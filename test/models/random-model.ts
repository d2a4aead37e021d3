/** Models with random weights, and their logits in float64. */
import type { Gpu } from '../../src/gpu/device.ts';
import type { ModelConfig } from '../../src/models/config.ts';
import { Model } from '../../src/models/model.ts';
import { loadWeights, savedParameters } from '../../src/models/weights.ts';
import { Draws } from '../numbers.ts';
import { cpuLogits } from './cpu-logits.ts';

export const CONFIG: ModelConfig = {
  model: 'neumf',
  users: 23,
  items: 61,
  gmfDim: 6,
  mlpDim: 5,
  mlpLayers: [12, 7],
  batchNorm: false,
  dropout: 0.5,
};

/** Weights as after some training: nothing is 0 or 1, and running variances are positive. */
export function randomModel(
  gpu: Gpu,
  change: Partial<ModelConfig>,
  seed: number,
  edit: (name: string, data: Float32Array) => void = () => {},
) {
  const config = { ...CONFIG, ...change };
  const model = new Model(gpu, config);
  const draws = new Draws(seed);
  const weights = new Map(
    savedParameters(model.parameters.specs).map(({ name, shape }) => {
      const size = shape.reduce((product, n) => product * n, 1);
      const data = name.endsWith('running_var') ? draws.vector(size, 0.1, 3) : draws.normal(size);
      edit(name, data);
      return [name, { shape, data }];
    }),
  );
  loadWeights(model, weights, 'random weights');
  return { model, config, weights: new Map([...weights].map(([name, { data }]) => [name, [...data]])) };
}

export type RandomModel = ReturnType<typeof randomModel>;

/** Each user's logits of all items, by plain loops in float64. */
export function float64Logits({ config, weights }: RandomModel): number[][] {
  const items = Array.from({ length: config.items }, (_, item) => item);
  return Array.from({ length: config.users }, (_, user) =>
    cpuLogits(config, weights, new Array(items.length).fill(user), items),
  );
}

/** Whether rounding decides nothing: different logits of a user are further apart than it, relative to the largest. */
function areDistinct(logits: readonly number[][]): boolean {
  const largest = Math.max(...logits.flat().map(Math.abs));
  return logits.every((own) => {
    const sorted = own.toSorted((a, b) => a - b);
    const gaps = sorted.slice(1).map((value, i) => value - sorted[i]!);
    return Math.min(...gaps.filter((gap) => gap > 0)) / largest > 2e-6;
  });
}

/** The first random model from this seed on that scores items distinctly, or alike, and its logits. */
export function distinctModel(
  gpu: Gpu,
  change: Partial<ModelConfig>,
  seed: number,
  edit?: (name: string, data: Float32Array) => void,
) {
  for (let tried = seed; tried < seed + 30; tried++) {
    const random = randomModel(gpu, change, tried, edit);
    const exact = float64Logits(random);
    if (areDistinct(exact)) return { random, exact };
  }
  throw new Error('all models have logits that only rounding tells apart');
}
