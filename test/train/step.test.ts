import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/autograd/clock.ts';
import { record, tensor } from '../../src/autograd/tape.ts';
import { Model } from '../../src/models/model.ts';
import { Adam } from '../../src/optim/adam.ts';
import { Sgd } from '../../src/optim/sgd.ts';
import { type Optimizer, trainingStep } from '../../src/train/step.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';

const on = useGpu();

type Results = ReturnType<typeof trainingStep>;

/** One step of a small gmf, to be run as often as wanted; its tensors as numbers. */
function recordedStep(optimizerOf: (model: Model, clock: Clock) => Optimizer, clipNorm: number | null) {
  const { gpu } = on;
  const sizes = { users: 4, items: 5, gmfDim: 3, mlpDim: 1, mlpLayers: [], batchNorm: false, dropout: 0 };
  const model = new Model(gpu, { ...sizes, model: 'gmf' });
  const draws = new Draws(1);
  for (const [, weights] of model.parameters.entries()) weights.write(draws.normal(weights.size));
  const clock = new Clock(gpu, 8);
  const optimizer = optimizerOf(model, clock);
  const batch = {
    users: tensor(gpu, draws.ids(6, 4)),
    items: tensor(gpu, draws.ids(6, 5)),
    labels: tensor(gpu, [1, 0, 0, 1, 0, 1]),
  };
  let results!: Results;
  const plan = record(gpu, 'step', () => {
    results = trainingStep(batch, { model, optimizer, clock, clipNorm, norm: true });
  });
  const all = async (which: 'weights' | 'gradients') => {
    const parts = model.parameters
      .entries()
      .map(([, parameter]) => (which === 'weights' ? parameter : parameter.grad!));
    return (await Promise.all(parts.map((part) => part.data()))).flatMap((values) => [...values]);
  };
  return { plan, results, optimizer, clock, weights: () => all('weights'), gradients: () => all('gradients') };
}

const norm = (values: number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

describe.each([
  ['without clipping', null],
  ['with a limit that the norm exceeds', 0.1],
  ['with a limit that it does not reach', 100],
])('gradient descent %s', (_, clipNorm) => {
  it('moves every weight by lr · (clip · gradient + decay · weight)', async () => {
    const step = recordedStep((model) => new Sgd(model.parameters, { lr: 0.5, weightDecay: 0.1 }), clipNorm);
    const before = await step.weights();
    step.plan.run();
    const gradients = await step.gradients();
    const factor = clipNorm === null ? 1 : Math.min(1, clipNorm / (norm(gradients) + 1e-6));
    const expected = before.map((weight, i) => weight - 0.5 * (factor * gradients[i]! + 0.1 * weight));
    expectClose(await step.weights(), expected, {
      scale: before.map((weight, i) => Math.abs(weight) + Math.abs(gradients[i]!)),
    });
    expectClose([...(await step.results.clip!.data())], [norm(gradients), factor]);
  });
});

it.each<[string, (model: Model, clock: Clock) => Optimizer]>([
  ['adam', (model, clock) => new Adam(model.parameters, clock, { lr: 0.5 })],
  ['gradient descent', (model) => new Sgd(model.parameters, { lr: 0.5 })],
])('%s takes another learning rate from the next submit on', async (_, optimizerOf) => {
  const step = recordedStep(optimizerOf, null);
  const before = await step.weights();
  step.plan.run();
  const after = await step.weights();
  expect(after).not.toEqual(before);
  step.optimizer.setLearningRate(0);
  step.plan.run();
  expect(await step.weights()).toEqual(after);
});

it('the clock counts the steps and keeps their losses', async () => {
  const step = recordedStep((model) => new Sgd(model.parameters, { lr: 0.5 }), null);
  const losses = [];
  for (let i = 0; i < 10; i++) {
    step.plan.run();
    losses.push((await step.results.loss.data())[0]!);
  }
  expect([...(await step.clock.step.data())]).toEqual([10]);
  // Eight are kept: steps 8 and 9 stand where 0 and 1 did.
  expect([...(await step.clock.losses.data())]).toEqual([...losses.slice(8), ...losses.slice(2, 8)]);
  expect(losses[9]).toBeLessThan(losses[0]!);
});
