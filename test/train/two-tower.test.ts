/** Training two towers: what a step's gradients are, and what the softmax's correction does to popular items. */
import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/autograd/clock.ts';
import { record, tensor } from '../../src/autograd/tape.ts';
import { ConfigError } from '../../src/errors.ts';
import { Model } from '../../src/models/model.ts';
import { Adam } from '../../src/optim/adam.ts';
import { DeferredAdam } from '../../src/optim/deferred-adam.ts';
import { fusedStep } from '../../src/train/fused-step.ts';
import { logPopularity } from '../../src/train/log-popularity.ts';
import { BatchSampler } from '../../src/train/sampler.ts';
import { resolveSettings, type TrainSettings } from '../../src/train/settings.ts';
import { trainingStep } from '../../src/train/step.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { centralDifferences } from '../differences.ts';
import { useGpu } from '../gpu-fixture.ts';
import { twoTowerBce, twoTowerSoftmax } from '../models/cpu-two-tower.ts';
import { randomModel } from '../models/random-model.ts';
import { Draws, expectClose } from '../numbers.ts';
import { hadamard, sum } from '../reference/elementwise.ts';
import { drawn, GROUPS, splitOf, TINY } from './fixture.ts';

const on = useGpu();

const SIZES = { model: 'two-tower', users: 5, items: 6, mlpDim: 3, mlpLayers: [4, 2] } as const;
const BATCH = { users: [1, 0, 4, 4, 2, 1, 3], items: [5, 2, 2, 0, 1, 2, 4], labels: [1, 0, 0, 1, 1, 0, 1] };
const SOFTMAX = { logQ: Float32Array.from([0.1, 0.3, 0.25, 0.15, 0.05, 0.15], Math.log), scale: 2 };

describe.each<[string, object]>([
  ['two layers', {}],
  ['BatchNorm', { batchNorm: true }],
  ['one layer', { mlpLayers: [3] }],
  ['no layers', { mlpLayers: [] }],
])('towers of %s', (_, change) => {
  it.each(['bce', 'in-batch-softmax'])('have the gradients of %s', async (loss) => {
    const { gpu } = on;
    const { model, config, weights } = randomModel(gpu, { ...SIZES, ...change }, 5);
    const batch = {
      users: tensor(gpu, Uint32Array.from(BATCH.users)),
      items: tensor(gpu, Uint32Array.from(BATCH.items)),
      labels: tensor(gpu, BATCH.labels),
    };
    const softmax = loss === 'bce' ? undefined : { logQ: tensor(gpu, SOFTMAX.logQ), temperature: 1 / SOFTMAX.scale };
    const clock = new Clock(gpu);
    const optimizer = new Adam(model.parameters, clock, { lr: 1e-30 });
    const results = trainingStep(batch, { model, optimizer, clock, clipNorm: null, softmax });
    const copy = () => new Map([...weights].map(([name, values]) => [name, [...values]]));
    const cpuLoss = (own: ReadonlyMap<string, number[]>) =>
      softmax ? twoTowerSoftmax(config, own, BATCH, SOFTMAX) : twoTowerBce(config, own, BATCH);
    expectClose(await results.loss.data(), [cpuLoss(copy())], { relative: 2e-6 });
    for (const [name, values] of weights) {
      if (name.includes('running_')) continue;
      const { grad } = model.parameters.get(name);
      const expected = centralDifferences((x) => cpuLoss(copy().set(name, [...x])), values);
      const actual = grad ? await grad.data() : new Float32Array(expected.length); // the bias is all one to a softmax
      expectClose(actual, expected, { scale: expected.map(() => 1), relative: 2e-5 });
    }
  });
});

/** 400 users who take four items each without any taste, the k-th of 12 items with a weight of 1 / k. */
const TASTELESS = (() => {
  const draws = new Draws(3);
  const rows = Array.from({ length: 400 }, (_, user): [number, number][] => {
    const keys = Array.from({ length: 12 }, (_, item) => ({ item, key: draws.uniform() ** (item + 1) }));
    return keys
      .toSorted((a, b) => b.key - a.key)
      .slice(0, 4)
      .map(({ item }) => [user, item]);
  });
  return splitOf(rows.flat(), 400, 12);
})();

it('the correction keeps popular items from being pushed down for being met as negatives more often', async () => {
  const { gpu } = on;
  const settings = resolveSettings({
    model: 'two-tower',
    mlpDim: 4,
    mlpLayers: [],
    batchSize: 128,
    loss: 'in-batch-softmax',
  });
  /** Logits of all items, after some steps, for users who are kept alike: what is learnt is each item's score. */
  async function scores(logQ: Float32Array<ArrayBuffer>): Promise<number[]> {
    const model = new Model(gpu, { ...settings, users: 400, items: 12 });
    const sampler = new BatchSampler(gpu, TASTELESS, settings);
    const clock = new Clock(gpu, sampler.batches);
    const optimizer = new DeferredAdam(model.parameters, clock, model.tables, { lr: 0.02 });
    const plan = record(gpu, 'step', () => {
      const batch = sampler.draw(clock, settings.batchSize);
      fusedStep(batch, { model, optimizer, clock, clipNorm: null, softmax: { logQ: tensor(gpu, logQ) } });
    });
    for (let step = 0; step < 150; step++) {
      model.parameters.get('user_emb.weight').write(new Float32Array(400 * 4).fill(0.5));
      plan.run();
    }
    const vectors = await model.vectors('items').data();
    return Array.from({ length: 12 }, (_, item) => 0.5 * sum(vectors.subarray(4 * item, 4 * item + 4)));
  }

  const shares = logPopularity(TASTELESS);
  const corrected = await scores(shares);
  const uncorrected = await scores(new Float32Array(12).fill(-2));
  // The scores that the softmax ends in are log shares, but for a constant; uncorrected, they are all alike. With so few
  // items, most of which a batch has several times, a user's own item drawn again, which is no negative, moves both a little.
  const centred = (x: ArrayLike<number>) => Array.from(x, (value) => value - sum(x) / 12);
  const slope = (of: number[]) =>
    sum(hadamard(centred(of), centred(shares))) / sum(hadamard(centred(shares), centred(shares)));
  expect(shares[0]! - shares[11]!).toBeGreaterThan(1);
  expect(slope(corrected)).toBeGreaterThan(0.9);
  expect(slope(uncorrected)).toBeLessThan(0.3);
});

it('log q is the logarithm of an item’s share of the training interactions', () => {
  // Each user's last pair is held out: item 0 is left once, item 1 three times, item 3 never.
  const rows: [number, number][] = [
    ...[0, 1, 2].map((item): [number, number] => [0, item]),
    ...[1, 3].map((item): [number, number] => [1, item]),
    ...[1, 2].map((item): [number, number] => [2, item]),
  ];
  expectClose(logPopularity(splitOf(rows, 3, 4)), [Math.log(1 / 4), Math.log(3 / 4), 0, 0]);
});

describe('the softmax', () => {
  it('is trained on positives alone, one batch after the other', async () => {
    const settings = { ...TINY, model: 'two-tower', loss: 'in-batch-softmax' } as const;
    const { sampler, settings: resolved } = await Trainer.create(on.gpu, GROUPS, settings);
    expect(resolved.negatives).toBe(0);
    expect(sampler.samples).toBe(GROUPS.train.items.length);
    expect((await drawn(on.gpu, sampler, 0)).labels).toEqual(new Array(64).fill(1));
  });

  it('is refused to models without towers', () => {
    const model = new Model(on.gpu, { ...SIZES, model: 'mlp', gmfDim: 1, batchNorm: false, dropout: 0 });
    expect(() => model.batchTraining()(tensor(on.gpu, Uint32Array.of(0)), tensor(on.gpu, Uint32Array.of(0)))).toThrow(
      new ConfigError('mlp has no towers: two-tower would be right'),
    );
  });

  it.each<[string, Partial<TrainSettings>, RegExp]>([
    ['more samples', { batchSize: 200 }, /^the logits of 200 users and 200 items of a batch needs .*\(160000 bytes\)/],
  ])('of %s than an adapter can bind is refused with their bytes', async (_, change, message) => {
    const { gpu } = on;
    const { bindingLimit } = gpu;
    Object.defineProperty(gpu, 'bindingLimit', { value: 2 ** 17, configurable: true });
    const settings = { ...TINY, model: 'two-tower', loss: 'in-batch-softmax', ...change } as const;
    const creation = Trainer.create(gpu, GROUPS, settings).finally(() => {
      Object.defineProperty(gpu, 'bindingLimit', { value: bindingLimit, configurable: true });
    });
    await expect(creation).rejects.toThrow(message);
    await expect(creation).rejects.toBeInstanceOf(ConfigError);
  });
});
