/** Users whom a model was not trained with. */
import { beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/autograd/tape.ts';
import { identityIds } from '../../src/data/id-map.ts';
import { readWeights } from '../../src/models/weights.ts';
import { meanRow } from '../../src/recommend/mean-row.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import { GROUPS, trained } from '../train/fixture.ts';

const on = useGpu();
const dataset = { userIds: identityIds(48), itemIds: identityIds(80), split: GROUPS };
const SIZES = { gmfDim: 8, mlpDim: 8, mlpLayers: [16, 8], batchSize: 64, lr: 0.01, epochs: 12, eval: 'none' } as const;
/** Items of group 3, of five. */
const HISTORY = ['3', '8', '13', '18', '23', '28'];

it.each([1, 3, 700])('the mean row of %i rows is their mean', async (rows) => {
  const x = new Draws(rows).normal(rows * 6, 1);
  const mean = Array.from(
    { length: 6 },
    (_, d) => x.filter((_, i) => i % 6 === d).reduce((sum, value) => sum + value, 0) / rows,
  );
  expectClose(await meanRow(tensor(on.gpu, x, { shape: [rows, 6] })).data(), mean, { relative: 1e-5 });
});

describe.each([
  ['neumf', {}],
  ['mf', {}],
  ['mlp', { batchNorm: true, dropout: 0.2 }],
  ['two-tower', { mlpLayers: [16, 8] }],
] as const)('%s', (model, more) => {
  let trainer: Trainer;
  let recommender: Recommender;
  beforeAll(async () => {
    trainer = await trained(on.gpu, { ...SIZES, model, ...more });
    recommender = Recommender.of(trainer, dataset);
  });

  it('gives a new user items of the taste that the list shows, and none of the list', async () => {
    const { source, unknown, recommendations } = await recommender.foldIn([...HISTORY, 'nowhere'], { k: 10 });
    expect([source, unknown]).toEqual(['model', ['nowhere']]);
    const group = recommendations.map(({ item }) => Number(item) % 5);
    expect(group.filter((one) => one === 3).length).toBeGreaterThanOrEqual(9);
    expect(recommendations.filter(({ item }) => HISTORY.includes(item))).toEqual([]);
    const scores = recommendations.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  it('is the same to the bit each time, whatever the order of the list, and leaves the model as it is', async () => {
    const before = await readWeights(trainer.model);
    const first = await recommender.foldIn(HISTORY, { includeSeen: true });
    expect(await recommender.foldIn([...HISTORY.toReversed(), '8'], { includeSeen: true })).toEqual(first);
    expect(await readWeights(trainer.model)).toEqual(before);
  });

  it('may be asked while training goes on, which it does not change', async () => {
    const settings = { ...SIZES, model, ...more, epochs: 2 };
    const asked = await Trainer.create(on.gpu, GROUPS, settings);
    for await (const _ of asked) await Recommender.of(asked, dataset).foldIn(HISTORY);
    expect(await asked.weightsSha256()).toBe(await (await trained(on.gpu, settings)).weightsSha256());
  });
});

it('without an item that the model knows, the most popular items come, and the answer says so', async () => {
  const recommender = Recommender.of(await trained(on.gpu, { ...SIZES, epochs: 1 }), dataset);
  const counts = new Map<string, number>();
  const { train, test } = GROUPS;
  for (const item of [...train.items, ...test.items]) counts.set(String(item), (counts.get(String(item)) ?? 0) + 1);
  const order = [...counts].sort(([a, n], [b, m]) => m - n || Number(a) - Number(b));
  for (const list of [[], ['x', '=y']]) {
    const { source, unknown, recommendations } = await recommender.foldIn(list, { k: 6, exclude: [order[1]![0]] });
    expect([source, unknown]).toEqual(['popularity', list]);
    expect(recommendations.map(({ item }) => item)).toEqual(
      order
        .filter((_, i) => i !== 1)
        .slice(0, 6)
        .map(([item]) => item),
    );
    expect(recommendations[0]!.score, 'the share of users who took it').toBeCloseTo(order[0]![1] / 48, 6);
  }
});
