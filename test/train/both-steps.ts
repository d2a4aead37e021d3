/** Models trained for some steps plainly, op by op, and fused: what they come to. */
import { expect } from 'vitest';
import type { Arena } from '../../src/autograd/arena.ts';
import { Clock } from '../../src/autograd/clock.ts';
import { record, tensor } from '../../src/autograd/tape.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { ModelConfig } from '../../src/models/config.ts';
import { Model } from '../../src/models/model.ts';
import { Adam, type AdamOptions } from '../../src/optim/adam.ts';
import { DeferredAdam } from '../../src/optim/deferred-adam.ts';
import { fusedStep } from '../../src/train/fused-step.ts';
import { trainingStep } from '../../src/train/step.ts';
import { Draws, sameBits } from '../numbers.ts';

export interface Setting extends Partial<ModelConfig> {
  readonly adam?: AdamOptions;
  readonly clipNorm?: number;
  /** Whether the norm of the gradients is computed, as in training. */
  readonly norm?: boolean;
  readonly rows?: number;
  /** Whether samples count by weights of their own. */
  readonly weighted?: boolean;
  /** Whether the loss is the softmax within the batch. */
  readonly softmax?: boolean;
}

export const PAPER: ModelConfig = {
  model: 'neumf',
  users: 90,
  items: 70,
  gmfDim: 8,
  mlpDim: 12,
  mlpLayers: [16, 8],
  batchNorm: false,
  dropout: 0,
};
export const STEPS = 40;

/** A model trained for some steps: plainly, or fused; what it learnt, and what it reported. */
export async function train(
  gpu: Gpu,
  kind: 'plain' | 'fused',
  setting: Setting,
  during: (step: number, fused: Fused) => void = () => {},
) {
  const { adam = {}, clipNorm = null, norm = true, rows = 11, weighted = false, softmax = false, ...sizes } = setting;
  const config = { ...PAPER, ...sizes };
  const model = new Model(gpu, config, 5);
  const clock = new Clock(gpu, STEPS);
  const draws = new Draws(3);
  const batch = {
    users: tensor(gpu, new Uint32Array(rows)),
    items: tensor(gpu, new Uint32Array(rows)),
    labels: tensor(gpu, new Float32Array(rows)),
    ...(weighted && { weights: tensor(gpu, new Float32Array(rows)) }),
  };
  const dropout = { seed: 9, step: clock.step };
  const logQ = tensor(gpu, draws.vector(config.items, -6, -2));
  const options = {
    model,
    clock,
    clipNorm,
    norm,
    dropout,
    ...(softmax && { softmax: { logQ, temperature: 0.5 } }),
  };
  const optimizer =
    kind === 'fused'
      ? new DeferredAdam(model.parameters, clock, model.tables, adam)
      : new Adam(model.parameters, clock, adam);
  let clip!: Awaited<ReturnType<typeof trainingStep>>['clip'];
  const plan = record(gpu, kind, () => {
    ({ clip } =
      optimizer instanceof DeferredAdam
        ? fusedStep(batch, { ...options, optimizer })
        : trainingStep(batch, { ...options, optimizer }));
  });
  for (let step = 0; step < STEPS; step++) {
    // Some rows in every batch and several times in it, some now and then, the last ones never.
    const skewed = (n: number) => Uint32Array.from({ length: rows }, () => Math.floor((n - 3) * draws.uniform() ** 3));
    batch.users.write(skewed(config.users));
    batch.items.write(skewed(config.items));
    batch.labels.write(Float32Array.from({ length: rows }, () => Number(draws.uniform() < 0.5)));
    batch.weights?.write(draws.vector(rows, 0.1, 4));
    plan.run();
    during(step, { model, optimizer });
  }
  const weights = new Map<string, Float32Array<ArrayBuffer>>();
  for (const [name, parameter] of model.parameters.entries())
    weights.set(name, (await parameter.data()) as Float32Array<ArrayBuffer>);
  const moments = async (arena: Arena) => {
    const pieces = model.parameters.stretches().map((stretch) => gpu.read(arena.view(stretch)));
    return new Float32Array(await new Blob(await Promise.all(pieces)).arrayBuffer());
  };
  return {
    model,
    plan,
    weights,
    losses: [...(await clock.losses.data())],
    clip: clip ? [...(await clip.data())] : [],
    m: await moments(optimizer.state.m),
    v: await moments(optimizer.state.v),
  };
}

export interface Fused {
  readonly model: Model;
  readonly optimizer: Adam;
}

export type Outcome = Awaited<ReturnType<typeof train>>;

export function expectSameBits(actual: Outcome, expected: Outcome): void {
  for (const [name, values] of expected.weights) expect(sameBits(actual.weights.get(name)!, values), name).toBe(true);
  expect(sameBits(actual.m, expected.m)).toBe(true);
  expect(sameBits(actual.v, expected.v)).toBe(true);
}

/** What training comes to, and what the model has scored after every third step. */
export async function scored(gpu: Gpu, kind: 'plain' | 'fused', setting: Setting, pairs: number) {
  const draws = new Draws(12);
  const scores: Promise<ArrayLike<number>>[] = [];
  const outcome = await train(gpu, kind, setting, (step, { model }) => {
    if (step % 3 !== 1) return;
    const [users, items] = [tensor(gpu, draws.ids(pairs, 90)), tensor(gpu, draws.ids(pairs, 70))];
    scores.push(model.scoring()(users, items).data());
  });
  return { ...outcome, scores: await Promise.all(scores) };
}

/** Does something with a device that seems to be another in one respect. */
export async function seeming<K extends 'adapterKind' | 'bindingLimit', T>(
  gpu: Gpu,
  respect: K,
  value: Gpu[K],
  body: () => Promise<T>,
): Promise<T> {
  const own = gpu[respect];
  Object.defineProperty(gpu, respect, { value, configurable: true });
  try {
    return await body();
  } finally {
    Object.defineProperty(gpu, respect, { value: own, configurable: true });
  }
}
