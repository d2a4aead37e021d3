import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/autograd/clock.ts';
import { hadamard } from '../../src/autograd/ops/hadamard.ts';
import { Parameters } from '../../src/autograd/parameters.ts';
import { record, tensor } from '../../src/autograd/tape.ts';
import { elements } from '../../src/autograd/tensor.ts';
import { Adam } from '../../src/optim/adam.ts';
import { Sgd } from '../../src/optim/sgd.ts';
import type { WeightDecayOptions } from '../../src/optim/weight-decay.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import * as reference from '../reference/optimizers.ts';

const on = useGpu();

/** In the order of a state dict, which is not the arena's; more than one of each kind. */
const SPECS = [
  { name: 'layer.weight', shape: [6, 5] },
  { name: 'layer.bias', shape: [6] },
  { name: 'norm.weight', shape: [6] },
  { name: 'norm.running_mean', shape: [6], buffer: true },
  { name: 'user_emb.weight', shape: [9, 8], table: true },
  { name: 'output.weight', shape: [1, 70] },
  { name: 'item_emb.weight', shape: [11, 8], table: true },
  { name: 'output.bias', shape: [1] },
];
const TRAINED = SPECS.filter(({ buffer }) => !buffer);
const LR = 0.05;
const STEPS = 4;

interface Reference {
  readonly weight: Float64Array;
  /** One step of so much weight decay, t = 1 for the first. */
  step(gradient: Float32Array, weightDecay: number, t: number): void;
}

function adamReference(weight: Float64Array): Reference {
  const state = { weight, m: new Float64Array(weight.length), v: new Float64Array(weight.length) };
  const numbers = { lr: LR, beta1: 0.9, beta2: 0.999, eps: 1e-8 };
  const step: Reference['step'] = (gradient, weightDecay, t) =>
    reference.adam(state, gradient, t, { ...numbers, weightDecay });
  return { weight, step };
}

function sgdReference(weight: Float64Array, momentum: number): Reference {
  const state = { weight, buffer: new Float64Array(weight.length) };
  const step: Reference['step'] = (gradient, weightDecay) =>
    reference.sgdMomentum(state, gradient, { lr: LR, momentum, weightDecay });
  return { weight, step };
}

type Decay = Required<WeightDecayOptions>;
type Make = (parameters: Parameters, clock: Clock, decay: Decay) => Adam | Sgd;

const OPTIMIZERS: [string, Make, (weight: Float64Array) => Reference][] = [
  ['Adam', (parameters, clock, decay) => new Adam(parameters, clock, { lr: LR, ...decay }), adamReference],
  [
    'gradient descent',
    (parameters, _, decay) => new Sgd(parameters, { lr: LR, ...decay }),
    (weight) => sgdReference(weight, 0),
  ],
  [
    'momentum',
    (parameters, _, decay) => new Sgd(parameters, { lr: LR, momentum: 0.9, ...decay }),
    (weight) => sgdReference(weight, 0.9),
  ],
];

const DECAYS: [string, Decay, number][] = [
  ['all alike', { weightDecay: 0.2, weightDecayTables: null, weightDecayBiases: 0.2 }, 1],
  ['tables apart', { weightDecay: 0.2, weightDecayTables: 0, weightDecayBiases: null }, 2],
  ['biases apart', { weightDecay: 0.2, weightDecayTables: null, weightDecayBiases: 0 }, 2],
  ['each of its own', { weightDecay: 0.2, weightDecayTables: 0.5, weightDecayBiases: 0.01 }, 3],
];

describe.each(OPTIMIZERS)('%s', (_, make, referenceOf) => {
  it.each(DECAYS)(
    '%s: decays each group at its own rate, in as few dispatches as that takes',
    async (_, decay, most) => {
      const { gpu } = on;
      const draws = new Draws(4);
      const parameters = new Parameters(gpu, SPECS);
      const clock = new Clock(gpu);
      const tensors = TRAINED.map(({ name, shape }) => {
        const initial = draws.normal(elements(shape));
        parameters.get(name).write(initial);
        const slopes = draws.normal(elements(shape));
        return { name, slopes, slope: tensor(gpu, slopes, { shape }), own: referenceOf(Float64Array.from(initial)) };
      });
      const optimizer = make(parameters, clock, decay);
      const plan = record(gpu, 'step', () => {
        for (const { name, slope } of tensors) hadamard(parameters.get(name), slope).sum().backward();
        optimizer.step();
        clock.advance(tensor(gpu, [0]));
      });
      plan.run(STEPS);

      const decayOf = (name: string) => {
        if (name.includes('_emb')) return decay.weightDecayTables ?? decay.weightDecay;
        return /bias|norm/.test(name) ? (decay.weightDecayBiases ?? decay.weightDecay) : decay.weightDecay;
      };
      for (const { name, slopes, own } of tensors) {
        for (let t = 1; t <= STEPS; t++) own.step(slopes, decayOf(name), t);
        const scale = own.weight.map((value) => Math.abs(value) + 1);
        expectClose(await parameters.get(name).data(), own.weight, { scale });
      }
      expect(plan.dispatches.filter(({ label }) => /^(adam|sgd)/.test(label))).toHaveLength(most);
    },
  );
});

it('the groups lie together in the arena, and names and their order stay', () => {
  const parameters = new Parameters(on.gpu, SPECS);
  expect(parameters.entries().map(([name]) => name)).toEqual(SPECS.map(({ name }) => name));
  expect(parameters.groups).toEqual([
    { name: 'tables', from: 0, to: 256 },
    { name: 'weights', from: 256, to: 448 },
    { name: 'biases', from: 448, to: 640 },
  ]);
  const places = TRAINED.map(({ name }) => parameters.get(name).view.offset! / 256);
  expect(places).toEqual([4, 7, 8, 0, 5, 2, 9]);
});
