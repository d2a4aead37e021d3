import { describe, expect, it } from 'vitest';
import { type ModelConfig, PRESETS } from '../../src/models/config.ts';
import { Model } from '../../src/models/model.ts';
import { readWeights } from '../../src/models/weights.ts';
import { useGpu } from '../gpu-fixture.ts';
import { sameBits } from '../numbers.ts';

const on = useGpu();
const CONFIG: ModelConfig = { ...PRESETS.lesson!, model: 'neumf', users: 500, items: 301 };

async function initialWeights(config: ModelConfig, seed?: number) {
  const weights = await readWeights(new Model(on.gpu, config, seed));
  return new Map([...weights].map(([name, { data }]) => [name, data as Float32Array<ArrayBuffer>]));
}

const mean = (values: Iterable<number>) => {
  const list = [...values];
  return list.reduce((sum, value) => sum + value, 0) / list.length;
};

describe('a new model begins as the lesson’s does:', () => {
  it.each(['gmf_user_emb', 'gmf_item_emb', 'mlp_user_emb', 'mlp_item_emb'])('%s is N(0, 0.01)', async (table) => {
    const values = (await initialWeights(CONFIG)).get(`${table}.weight`)!;
    const scaled = values.map((value) => value / 0.01);
    // Five standard errors of each moment of a standard normal distribution.
    const bound = (variance: number) => 5 * Math.sqrt(variance / values.length);
    expect(Math.abs(mean(scaled))).toBeLessThan(bound(1));
    expect(Math.abs(mean(scaled.map((z) => z ** 2)) - 1)).toBeLessThan(bound(2));
    expect(Math.abs(mean(scaled.map((z) => z ** 3)))).toBeLessThan(bound(15));
    expect(Math.abs(mean(scaled.map((z) => z ** 4)) - 3)).toBeLessThan(bound(96));
    // No two neighbours go together.
    expect(Math.abs(mean(scaled.slice(1).map((z, i) => z * scaled[i]!)))).toBeLessThan(bound(1));
  });

  it.each([
    ['mlp.0.weight', 128, 128],
    ['mlp.4.weight', 64, 128],
    ['mlp.8.weight', 32, 64],
    ['output_layer.weight', 1, 96],
  ])('%s is uniform within Xavier’s bounds', async (name, outputs, inputs) => {
    const values = (await initialWeights(CONFIG)).get(name)!;
    const bound = Math.sqrt(6 / (inputs + outputs));
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
    const error = 5 / Math.sqrt(values.length);
    expect(Math.abs(mean(values) / bound)).toBeLessThan(error);
    expect(Math.abs(3 * mean(values.map((value) => (value / bound) ** 2)) - 1)).toBeLessThan(error);
  });

  it('biases and running means are 0, BatchNorm’s scales and running variances 1', async () => {
    const constant = [...(await initialWeights(CONFIG))]
      .filter(([, values]) => values.every((value) => value === values[0]))
      .map(([name, values]) => [name, values[0]]);
    const norm = (layer: string) => [
      [`mlp.${layer}.weight`, 1],
      [`mlp.${layer}.bias`, 0],
      [`mlp.${layer}.running_mean`, 0],
      [`mlp.${layer}.running_var`, 1],
    ];
    expect(constant).toEqual([
      ['mlp.0.bias', 0],
      ...norm('1'),
      ['mlp.4.bias', 0],
      ...norm('5'),
      ['mlp.8.bias', 0],
      ...norm('9'),
      ['output_layer.bias', 0],
    ]);
  });
});

it('the same seed gives the same weights, another one others, and no two tables are alike', async () => {
  const small: ModelConfig = { ...CONFIG, users: 9, items: 9, gmfDim: 4, mlpDim: 4, mlpLayers: [3] };
  const [first, again, other] = [
    await initialWeights(small, 1),
    await initialWeights(small, 1),
    await initialWeights(small, 2),
  ];
  for (const [name, values] of first) expect(sameBits(values, again.get(name)!), name).toBe(true);
  for (const name of ['gmf_user_emb.weight', 'mlp.0.weight'])
    expect(sameBits(first.get(name)!, other.get(name)!)).toBe(false);
  const tables = [...first].filter(([name]) => name.includes('_emb')).map(([, values]) => values.join());
  expect(new Set(tables).size).toBe(4);
});
