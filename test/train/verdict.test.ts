import { describe, expect, it } from 'vitest';
import { popularity } from '../../src/data/split.ts';
import { activeUnits } from '../../src/evaluate/hidden-units.ts';
import { strataOf } from '../../src/evaluate/strata.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import type { Trainer } from '../../src/train/trainer.ts';
import { verdict } from '../../src/train/verdict.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, trained } from './fixture.ts';

const on = useGpu();
const SMALL = { gmfDim: 4, mlpDim: 4, mlpLayers: [16, 8], batchSize: 100, lr: 0.01, epochs: 10, k: [3] } as const;
const judged = (trainer: Trainer) => verdict(trainer, trainer.baselines());
const run = async (settings: Partial<TrainSettings>) => judged(await trained(on.gpu, { ...SMALL, ...settings }));

describe('of a healthy run', () => {
  it('gives no alarm, strata that hold all tested users, and what the lists recommend', async () => {
    const trainer = await trained(on.gpu, { ...SMALL, eval: 'both' });
    const { alarms, final } = await judged(trainer);
    expect(alarms).toEqual([]);
    expect(final!.epoch).toBe(10);
    expect(Object.keys(final!.lists).sort()).toEqual(
      ['coverage', 'gini', 'popularity'].flatMap((name) => [`${name}@10`, `${name}@3`]),
    );

    const strata = strataOf(GROUPS);
    const heldOut = Array.from(GROUPS.test.items, (item) => strata[item]);
    expect(final!.strata.map(({ testedUsers }) => testedUsers)).toEqual(
      [0, 1, 2].map((number) => heldOut.filter((stratum) => stratum === number).length),
    );
    const last = trainer.history.at(-1)!;
    const hits = final!.strata.map((one) => one.testedUsers * (one.full?.['hr@3'] ?? 0));
    expect(hits.reduce((sum, n) => sum + n) / GROUPS.test.users.length).toBeCloseTo(last.full!['hr@3']!, 12);
  });

  it('counts in the lists the places of unseen items only', async () => {
    const trainer = await trained(on.gpu, { ...SMALL, epochs: 1, eval: 'full' });
    const recommended = await trainer.evaluation!.recommended();
    const [three, ten] = [recommended.get(3)!, recommended.get(10)!];
    const total = (counts: Uint32Array) => counts.reduce((sum, n) => sum + n, 0);
    expect([total(three), total(ten)]).toEqual([3, 10].map((k) => k * GROUPS.test.users.length));
    expect(ten.every((count, item) => count >= three[item]!)).toBe(true);
  });
});

it('without the full protocol there are no lists, and without evaluation only the losses are judged', async () => {
  expect((await run({ epochs: 1 })).final!.lists).toEqual({});
  const { final, alarms } = await run({ epochs: 1, eval: 'none', lr: 1e-9 });
  expect(final).toBeNull();
  expect(alarms).toEqual([expect.stringMatching(/^the last epoch’s loss 0\.69\d\d is not below 0\.5004/)]);
});

it('the loss is judged where it is the cross-entropy of drawn labels only', async () => {
  const settings = { epochs: 1, eval: 'none', lr: 1e-9 } as const;
  const towers = { model: 'two-tower', loss: 'in-batch-softmax' } as const;
  for (const other of [{ sampler: 'hard' }, { negatives: 0 }, towers] as const) {
    expect((await run({ ...settings, ...other })).alarms, JSON.stringify(other)).toEqual([]);
  }
  expect((await run({ ...settings, ipsPower: 0.5 })).alarms).toHaveLength(1);
});

it('an MLP whose units are pushed below zero is dead, and scores all alike', async () => {
  const trainer = await trained(on.gpu, { ...SMALL, model: 'mlp', eval: 'both' });
  expect((await activeUnits(trainer.model, GROUPS.test)).every((units) => units > 0)).toBe(true);
  trainer.model.parameters.get('mlp.3.bias').write(new Float32Array(8).fill(-100));
  expect(await activeUnits(trainer.model, GROUPS.test)).toEqual([expect.toSatisfy((units: number) => units > 0), 0]);
  expect((await judged(trainer)).alarms).toEqual([
    expect.stringMatching(/^sampled: every candidate ties/),
    'hidden layer 2 is dead: its units are zero for every pair looked at',
  ]);
});

it('a model that scores by the item alone, and the more the more popular it is, is told from one that learnt', async () => {
  const trainer = await trained(on.gpu, { ...SMALL, model: 'gmf', eval: 'both' });
  expect((await judged(trainer)).alarms).toEqual([]);
  const { parameters } = trainer.model;
  const items = new Float32Array(4 * GROUPS.items);
  popularity(GROUPS).forEach((count, item) => {
    items[4 * item] = count;
  });
  parameters.get('gmf_user_emb.weight').write(new Float32Array(4 * GROUPS.users).fill(1));
  parameters.get('gmf_item_emb.weight').write(items);
  parameters.get('output_layer.weight').write(new Float32Array(4).fill(1));
  const hr = trainer.baselines().popularity!['hr@10']!.toFixed(4);
  expect((await judged(trainer)).alarms).toEqual([
    expect.stringMatching(`^HR@10 ${hr} and NDCG@10 \\S+ are popularity’s, ${hr} and `),
  ]);
});
