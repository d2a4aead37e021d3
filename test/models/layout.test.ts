import { describe, expect, it } from 'vitest';
import { type ModelConfig, type ModelKind, PRESETS } from '../../src/models/config.ts';
import { Model } from '../../src/models/model.ts';
import { savedParameters } from '../../src/models/weights.ts';
import { useGpu } from '../gpu-fixture.ts';

const on = useGpu();

/** A model's tensors as `{name: shape}` in PyTorch's order, as `state_dict()` lists them. */
function stateDict(preset: string, model: ModelKind, change: Partial<ModelConfig> = {}) {
  const config: ModelConfig = { ...PRESETS[preset]!, model, users: 5, items: 7, ...change };
  return new Model(on.gpu, config).parameters.specs.map(({ name, shape }) => `${name} [${shape}]`);
}

describe('parameters have the names and shapes of the lesson’s PyTorch model', () => {
  it('preset lesson', () => {
    expect(stateDict('lesson', 'neumf')).toEqual([
      'gmf_user_emb.weight [5,64]',
      'gmf_item_emb.weight [7,64]',
      'mlp_user_emb.weight [5,64]',
      'mlp_item_emb.weight [7,64]',
      'mlp.0.weight [128,128]',
      'mlp.0.bias [128]',
      'mlp.1.weight [128]',
      'mlp.1.bias [128]',
      'mlp.1.running_mean [128]',
      'mlp.1.running_var [128]',
      'mlp.4.weight [64,128]',
      'mlp.4.bias [64]',
      'mlp.5.weight [64]',
      'mlp.5.bias [64]',
      'mlp.5.running_mean [64]',
      'mlp.5.running_var [64]',
      'mlp.8.weight [32,64]',
      'mlp.8.bias [32]',
      'mlp.9.weight [32]',
      'mlp.9.bias [32]',
      'mlp.9.running_mean [32]',
      'mlp.9.running_var [32]',
      'output_layer.weight [1,96]',
      'output_layer.bias [1]',
    ]);
  });

  it('preset paper-8', () => {
    expect(stateDict('paper-8', 'neumf')).toEqual([
      'gmf_user_emb.weight [5,8]',
      'gmf_item_emb.weight [7,8]',
      'mlp_user_emb.weight [5,32]',
      'mlp_item_emb.weight [7,32]',
      'mlp.0.weight [32,64]',
      'mlp.0.bias [32]',
      'mlp.3.weight [16,32]',
      'mlp.3.bias [16]',
      'mlp.6.weight [8,16]',
      'mlp.6.bias [8]',
      'output_layer.weight [1,16]',
      'output_layer.bias [1]',
    ]);
  });

  it.each([16, 32, 64])('preset paper-%i has twice as many factors in front of each layer as behind it', (k) => {
    const shapes = stateDict(`paper-${k}`, 'neumf').filter((line) => line.includes('weight'));
    expect(shapes.slice(4)).toEqual([
      `mlp.0.weight [${4 * k},${8 * k}]`,
      `mlp.3.weight [${2 * k},${4 * k}]`,
      `mlp.6.weight [${k},${2 * k}]`,
      `output_layer.weight [1,${2 * k}]`,
    ]);
  });

  it('one branch alone has the other’s tensors left out', () => {
    expect(stateDict('paper-8', 'gmf')).toEqual([
      'gmf_user_emb.weight [5,8]',
      'gmf_item_emb.weight [7,8]',
      'output_layer.weight [1,8]',
      'output_layer.bias [1]',
    ]);
    const mlp = stateDict('paper-8', 'mlp');
    expect([mlp[0], mlp.length, mlp.at(-2)]).toEqual(['mlp_user_emb.weight [5,32]', 10, 'output_layer.weight [1,8]']);
  });

  it('MF has biases of its own, and rows for them that are whole vectors', () => {
    expect(stateDict('paper-8', 'mf')).toEqual([
      'gmf_user_emb.weight [5,8]',
      'gmf_item_emb.weight [7,8]',
      'user_bias.weight [5,4]',
      'item_bias.weight [7,4]',
      'output_layer.weight [1,16]',
      'output_layer.bias [1]',
    ]);
    const model = new Model(on.gpu, { ...PRESETS['paper-8']!, model: 'mf', users: 5, items: 7 });
    expect(savedParameters(model.parameters.specs).map(({ name, shape }) => `${name} [${shape}]`)).toEqual([
      'gmf_user_emb.weight [5,8]',
      'gmf_item_emb.weight [7,8]',
      'user_bias.weight [5,1]',
      'item_bias.weight [7,1]',
      'output_layer.bias [1]',
    ]);
    expect(model.parameters.count).toBe(5 * 9 + 7 * 9 + 1);
  });

  it('two towers end in a linear layer, and are multiplied as they are', () => {
    const change = { mlpDim: 6, mlpLayers: [12, 4], batchNorm: true };
    expect(stateDict('paper-8', 'two-tower', change)).toEqual([
      'user_emb.weight [5,6]',
      'item_emb.weight [7,6]',
      ...['user_tower', 'item_tower'].flatMap((tower) => [
        `${tower}.0.weight [12,6]`,
        `${tower}.0.bias [12]`,
        `${tower}.1.weight [12]`,
        `${tower}.1.bias [12]`,
        `${tower}.1.running_mean [12]`,
        `${tower}.1.running_var [12]`,
        `${tower}.4.weight [4,12]`,
        `${tower}.4.bias [4]`,
      ]),
      'output_layer.weight [1,4]',
      'output_layer.bias [1]',
    ]);
    const model = new Model(on.gpu, { ...PRESETS['paper-8']!, ...change, model: 'two-tower', users: 5, items: 7 });
    expect(savedParameters(model.parameters.specs).map(({ name }) => name)).not.toContain('output_layer.weight');
    expect(model.parameters.count).toBe(12 * 6 + 2 * (12 * 6 + 3 * 12 + 4 * 12 + 4) + 1);
  });

  it('two towers without layers are their embeddings', () => {
    expect(stateDict('paper-8', 'two-tower', { mlpLayers: [] })).toEqual([
      'user_emb.weight [5,32]',
      'item_emb.weight [7,32]',
      'output_layer.weight [1,32]',
      'output_layer.bias [1]',
    ]);
  });

  it('an MLP without hidden layers is a linear model of both embeddings', () => {
    expect(stateDict('paper-8', 'mlp', { mlpLayers: [] })).toEqual([
      'mlp_user_emb.weight [5,32]',
      'mlp_item_emb.weight [7,32]',
      'output_layer.weight [1,64]',
      'output_layer.bias [1]',
    ]);
  });
});

it('the number of parameters counts what is trained, running averages left out', () => {
  const config: ModelConfig = { ...PRESETS.lesson!, model: 'neumf', users: 6040, items: 3706 };
  // (6040 + 3706) · (64 + 64) + (128 · 128 + 3 · 128) + (128 · 64 + 3 · 64) + (64 · 32 + 3 · 32) + 96 + 1
  expect(new Model(on.gpu, config).parameters.count).toBe(1_274_881);
});
