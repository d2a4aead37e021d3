import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/autograd/tape.ts';
import type { ModelConfig } from '../../src/models/config.ts';
import { fuse } from '../../src/models/fuse.ts';
import { Model } from '../../src/models/model.ts';
import { loadWeights, readWeights } from '../../src/models/weights.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import { CONFIG, randomModel } from './random-model.ts';

const on = useGpu();
const ROWS = 90;
const USERS = new Draws(1).ids(ROWS, CONFIG.users);
const ITEMS = new Draws(2).ids(ROWS, CONFIG.items);

async function logits(model: Model): Promise<number[]> {
  return [...(await model.evaluation()(tensor(on.gpu, USERS), tensor(on.gpu, ITEMS)).data())];
}

const branch = async (model: ModelConfig['model'], change: Partial<ModelConfig>, seed: number) => {
  const random = randomModel(on.gpu, { ...change, model }, seed).model;
  return { model: random, trained: { weights: await readWeights(random), source: `${model}.safetensors` } };
};

describe.each<[string, Partial<ModelConfig>]>([
  ['BatchNorm', { batchNorm: true }],
  ['no BatchNorm', {}],
  ['no hidden layers', { mlpLayers: [] }],
])('with %s, right after fusion', (_, change) => {
  it.each([0.5, 0.3, 1])('the logit is %d · GMF’s + the rest of the MLP’s', async (alpha) => {
    const [gmf, mlp] = [await branch('gmf', change, 1), await branch('mlp', change, 2)];
    const neumf = new Model(on.gpu, { ...CONFIG, ...change, model: 'neumf' });
    loadWeights(neumf, fuse(gmf.trained, mlp.trained, alpha), 'fused');
    const [ofGmf, ofMlp] = [await logits(gmf.model), await logits(mlp.model)];
    const mixed = ofGmf.map((logit, i) => alpha * logit + (1 - alpha) * ofMlp[i]!);
    const largest = Math.max(...[...ofGmf, ...ofMlp].map(Math.abs));
    expectClose(await logits(neumf), mixed, { relative: 2e-6, scale: mixed.map(() => largest) });
  });
});

it('α is ½ where none is given, and its weights are those of the branches', async () => {
  const [gmf, mlp] = [await branch('gmf', {}, 1), await branch('mlp', {}, 2)];
  const fused = fuse(gmf.trained, mlp.trained);
  expect(fused).toEqual(fuse(gmf.trained, mlp.trained, 0.5));
  for (const { weights } of [gmf.trained, mlp.trained]) {
    for (const [name, { data }] of weights) {
      if (!name.startsWith('output_layer.')) expect(fused.get(name)!.data, name).toEqual(data);
    }
  }
  const h = [...gmf.trained.weights.get('output_layer.weight')!.data];
  expect([...fused.get('output_layer.weight')!.data].slice(0, h.length)).toEqual(h.map((value) => value / 2));
});

describe('what cannot be fused is refused:', () => {
  it.each<[string, ModelConfig['model'], Partial<ModelConfig>, string]>([
    [
      'another model',
      'neumf',
      {},
      'neumf.safetensors: it is a model of kind neumf, and one of kind mlp would be right',
    ],
    [
      'another number of users',
      'mlp',
      { users: 24 },
      'mlp.safetensors: it has 24 users, and gmf.safetensors has 23; models of the same data would be right',
    ],
    [
      'another number of items',
      'mlp',
      { items: 60 },
      'mlp.safetensors: it has 60 items, and gmf.safetensors has 61; models of the same data would be right',
    ],
  ])('%s', async (_, model, change, message) => {
    const [gmf, mlp] = [await branch('gmf', {}, 1), await branch(model, change, 2)];
    expect(() => fuse(gmf.trained, mlp.trained)).toThrow(message);
  });

  it('two models the wrong way round', async () => {
    const [gmf, mlp] = [await branch('gmf', {}, 1), await branch('mlp', {}, 2)];
    expect(() => fuse(mlp.trained, gmf.trained)).toThrow(
      'mlp.safetensors: it is a model of kind mlp, and one of kind gmf would be right',
    );
  });

  it('weights of which one is missing', async () => {
    const [gmf, mlp] = [await branch('gmf', {}, 1), await branch('mlp', {}, 2)];
    mlp.trained.weights.delete('mlp.3.bias');
    expect(() => fuse(gmf.trained, mlp.trained)).toThrow(
      'mlp.safetensors: it has no tensor mlp.3.bias, which this model needs',
    );
  });

  it.each([-0.1, 1.1, Number.NaN])('α = %d', async (alpha) => {
    const [gmf, mlp] = [await branch('gmf', {}, 1), await branch('mlp', {}, 2)];
    expect(() => fuse(gmf.trained, mlp.trained, alpha)).toThrow(`alpha ${alpha}: a number from 0 to 1 would be right`);
  });
});
