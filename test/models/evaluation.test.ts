import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/autograd/clock.ts';
import { noGrad, record, tensor } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import type { ModelConfig } from '../../src/models/config.ts';
import { Model } from '../../src/models/model.ts';
import { loadWeights, readWeights, savedParameters } from '../../src/models/weights.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose, sameBits } from '../numbers.ts';
import { cpuLogits } from './cpu-logits.ts';

const on = useGpu();

const CONFIG: ModelConfig = {
  model: 'neumf',
  users: 9,
  items: 11,
  gmfDim: 6,
  mlpDim: 5,
  mlpLayers: [12, 7],
  batchNorm: false,
  dropout: 0,
};
const ROWS = 70;
const USERS = new Draws(1).ids(ROWS, CONFIG.users);
const ITEMS = new Draws(2).ids(ROWS, CONFIG.items);

/** Other weights for every seed, as after some training: nothing is 0 or 1, and running variances are positive. */
function randomise(model: Model, seed: number): Map<string, number[]> {
  const draws = new Draws(seed);
  const weights = new Map(
    savedParameters(model.parameters.specs).map(({ name, shape }) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [name, { shape, data: name.endsWith('running_var') ? draws.vector(size, 0.1, 3) : draws.normal(size) }];
    }),
  );
  loadWeights(model, weights, 'random weights');
  return new Map([...weights].map(([name, { data }]) => [name, [...data]]));
}

/** What plain loops in float64 give for the same weights. */
function expected(config: ModelConfig, weights: ReadonlyMap<string, number[]>): number[] {
  return cpuLogits(config, weights, [...USERS], [...ITEMS]);
}

function expectLogits(actual: ArrayLike<number>, logits: readonly number[]) {
  const scale = new Array(ROWS).fill(Math.max(...logits.map(Math.abs)));
  expectClose(Array.from(actual), logits, { relative: 2e-6, scale });
}

const MODELS: [string, Partial<ModelConfig>][] = [
  ['mf', { model: 'mf' }],
  ['gmf', { model: 'gmf' }],
  ['mlp', { model: 'mlp' }],
  ['mlp without hidden layers', { model: 'mlp', mlpLayers: [] }],
  ['neumf', { model: 'neumf' }],
  ['neumf without hidden layers', { model: 'neumf', mlpLayers: [] }],
  ['two towers', { model: 'two-tower' }],
  ['two towers of one layer', { model: 'two-tower', mlpLayers: [6] }],
  ['two towers without layers', { model: 'two-tower', mlpLayers: [] }],
];

describe.each(MODELS)('%s', (_, change) => {
  const config = { ...CONFIG, ...change };

  it('is evaluated as it is in training, when there is no dropout and no BatchNorm', async () => {
    const { gpu } = on;
    const model = new Model(gpu, config);
    const weights = randomise(model, 3);
    const [users, items] = [tensor(gpu, USERS), tensor(gpu, ITEMS)];
    const evaluated = await model.evaluation()(users, items).data();
    const training = await noGrad(gpu, () => model.training()(users, items)).data();
    expect([...evaluated]).toEqual([...training]);
    expectLogits(evaluated, expected(config, weights));
  });

  it('with BatchNorm uses the running averages, which evaluation leaves alone', async () => {
    const normalised = { ...config, batchNorm: true, dropout: 0.5 };
    const model = new Model(on.gpu, normalised);
    const weights = randomise(model, 4);
    const logits = await model.evaluation()(tensor(on.gpu, USERS), tensor(on.gpu, ITEMS)).data();
    expectLogits(logits, expected(normalised, weights));
    for (const [name, { data }] of await readWeights(model)) {
      expect([...data], name).toEqual(weights.get(name));
    }
  });
});

it('a recorded evaluation folds the BatchNorm of the moment at which it runs', async () => {
  const config = { ...CONFIG, batchNorm: true };
  const model = new Model(on.gpu, config);
  let logits!: Tensor;
  const plan = record(on.gpu, 'evaluation', () => {
    logits = model.evaluation()(tensor(on.gpu, USERS), tensor(on.gpu, ITEMS));
  });
  for (const seed of [5, 6]) {
    const weights = randomise(model, seed);
    plan.run();
    expectLogits(await logits.data(), expected(config, weights));
  }
});

it('dropout is drawn in training only, anew with every step of the clock', async () => {
  const { gpu } = on;
  const model = new Model(gpu, { ...CONFIG, dropout: 0.5 });
  randomise(model, 7);
  const clock = new Clock(gpu);
  const [users, items] = [tensor(gpu, USERS), tensor(gpu, ITEMS)];
  const inTraining = async (step: number, seed = 42) => {
    clock.set(step);
    const forward = model.training({ seed, step: clock.step });
    return (await noGrad(gpu, () => forward(users, items)).data()) as Float32Array<ArrayBuffer>;
  };
  const first = await inTraining(0);
  expect(sameBits(await inTraining(0), first)).toBe(true);
  expect(sameBits(await inTraining(1), first)).toBe(false);
  expect(sameBits(await inTraining(0, 43), first)).toBe(false);
  const evaluated = (await model.evaluation()(users, items).data()) as Float32Array<ArrayBuffer>;
  expect(sameBits(evaluated, first)).toBe(false);
});

it('MF is GMF with h = 1, and each item and user moves its logits by their bias', async () => {
  const { gpu } = on;
  const mf = new Model(gpu, { ...CONFIG, model: 'mf' });
  const weights = randomise(mf, 8);
  const gmf = new Model(gpu, { ...CONFIG, model: 'gmf' });
  gmf.parameters.specs.forEach(({ name }) => {
    const ones = new Array(CONFIG.gmfDim).fill(1);
    gmf.parameters.get(name).write(Float32Array.from(name === 'output_layer.weight' ? ones : weights.get(name)!));
  });
  const [users, items] = [tensor(gpu, USERS), tensor(gpu, ITEMS)];
  const products = [...(await gmf.evaluation()(users, items).data())];
  const [ofUsers, ofItems] = ['user_bias.weight', 'item_bias.weight'].map((name) => weights.get(name)!);
  const sums = products.map((logit, row) => logit + ofUsers![USERS[row]!]! + ofItems![ITEMS[row]!]!);
  expectLogits(await mf.evaluation()(users, items).data(), sums);

  for (const name of ['user_bias.weight', 'item_bias.weight']) {
    const table = mf.parameters.get(name);
    table.write(new Float32Array(table.size));
  }
  expect([...(await mf.evaluation()(users, items).data())]).toEqual(products);
});
