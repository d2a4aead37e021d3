/** Negatives that the model itself finds likely: what is drawn, from when on, and by a model how recent. */
import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/autograd/clock.ts';
import { record, tensor } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { Model } from '../../src/models/model.ts';
import { Adam } from '../../src/optim/adam.ts';
import { DeferredAdam } from '../../src/optim/deferred-adam.ts';
import { fusedStep } from '../../src/train/fused-step.ts';
import { BatchSampler } from '../../src/train/sampler.ts';
import { modelConfig, resolveSettings, type TrainSettings } from '../../src/train/settings.ts';
import { trainingStep } from '../../src/train/step.ts';
import { useGpu } from '../gpu-fixture.ts';
import { sameBits } from '../numbers.ts';
import { drawn, GROUPS, LESSON_LIKE, TINY, trained } from './fixture.ts';

const on = useGpu();

describe.each<[string, Partial<TrainSettings>]>([
  ['gmf by deferred Adam', { model: 'gmf', gmfDim: 4, lr: 0.03 }],
  ['neumf by dense Adam', { gmfDim: 3, mlpDim: 3, mlpLayers: [6], lr: 0.03 }],
  ['neumf with BatchNorm and dropout', LESSON_LIKE],
  ['two towers', { model: 'two-tower', mlpDim: 4, mlpLayers: [8, 4], batchNorm: true, lr: 0.03 }],
])('to a trained model, %s,', (_, given) => {
  it('they are harder than uniform ones, each of them at least as hard as the one in its place, and none is a training item', async () => {
    // Trained with uniform ones: hard ones would have levelled the scores that they are taken from.
    const drawing = { sampler: 'hard', hardCandidates: 6, hardFrom: 99 } as const;
    const settings = { ...given, ...drawing, batchSize: 500, epochs: 8, eval: 'none' } as const;
    const { model, sampler } = await trained(on.gpu, settings);
    const hard = await drawn(on.gpu, sampler, 1, model);
    const uniform = await drawn(on.gpu, sampler, 1);
    expect(hard.users).toEqual(uniform.users);
    expect(hard.labels).toEqual(uniform.labels);

    const negatives = hard.labels.flatMap((label, i) => (label ? [] : [i]));
    const logitsOf = async ({ users, items }: typeof hard) => {
      const pairs = [users, items].map((ids) => tensor(on.gpu, Uint32Array.from(ids))) as [Tensor, Tensor];
      const logits = await model
        .evaluation()(...pairs)
        .data();
      return negatives.map((i) => logits[i]!);
    };
    const [ofHard, ofUniform] = [await logitsOf(hard), await logitsOf(uniform)];
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(ofHard.filter((logit, i) => logit < ofUniform[i]! - 1e-5)).toEqual([]);
    const deviation = Math.sqrt(mean(ofUniform.map((logit) => (logit - mean(ofUniform)) ** 2)));
    expect(mean(ofHard)).toBeGreaterThan(mean(ofUniform) + 0.8 * deviation);

    const { offsets, items } = GROUPS.train;
    const taken = negatives.filter((i) => {
      const [start, end] = [offsets[hard.users[i]!], offsets[hard.users[i]! + 1]];
      return items.subarray(start, end).includes(hard.items[i]!);
    });
    expect(taken).toEqual([]);
    hard.labels.forEach((label, i) => {
      if (label) expect(hard.items[i]).toBe(uniform.items[i]);
    });
  });
});

describe('before the epoch from which they are drawn', () => {
  it('training is that with uniform ones, bit by bit, and from then on another', async () => {
    const settings = { ...TINY, lr: 0.05, epochs: 3 } as const;
    const losses = async (other: Partial<TrainSettings>) =>
      (await trained(on.gpu, { ...settings, ...other })).history.map(({ loss }) => loss);
    const uniform = await losses({ sampler: 'uniform' });
    for (const hardFrom of [1, 2, 3]) {
      const hard = await losses({ sampler: 'hard', hardFrom });
      expect(hard.map((loss, i) => loss === uniform[i])).toEqual([1, 2, 3].map((epoch) => epoch < hardFrom));
    }
  });
});

it.each([
  ['few rows of the tables', 4],
  ['most rows of the tables', 40],
])(
  'deferred Adam draws by rows that have had all their steps: bit by bit as dense Adam, batches that look at %s',
  async (_, batchSize) => {
    const settings = resolveSettings({ ...LESSON_LIKE, sampler: 'hard', hardCandidates: 3, batchSize });
    const sampler = new BatchSampler(on.gpu, GROUPS, settings, true);

    async function weightsAfter(kind: 'deferred' | 'dense'): Promise<Float32Array<ArrayBuffer>[]> {
      const model = new Model(on.gpu, modelConfig(settings, GROUPS.users, GROUPS.items), 4);
      const clock = new Clock(on.gpu, sampler.batches);
      const optimizer =
        kind === 'deferred'
          ? new DeferredAdam(model.parameters, clock, model.tables, { lr: 0.01 })
          : new Adam(model.parameters, clock, { lr: 0.01 });
      const plan = record(on.gpu, kind, () => {
        const batch = sampler.draw(clock, batchSize, model.scoring());
        const options = { model, clock, clipNorm: null, dropout: { seed: 2, step: clock.step } };
        if (optimizer instanceof DeferredAdam) fusedStep(batch, { ...options, optimizer });
        else trainingStep(batch, { ...options, optimizer });
      });
      plan.run(50);
      const weights = model.parameters.entries().map(([, parameter]) => parameter.data());
      return (await Promise.all(weights)) as Float32Array<ArrayBuffer>[];
    }

    const [deferred, dense] = [await weightsAfter('deferred'), await weightsAfter('dense')];
    deferred.forEach((weights, i) => {
      expect(sameBits(weights, dense[i]!), `parameter ${i}`).toBe(true);
    });
  },
);
