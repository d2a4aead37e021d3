/** neumf-webgpu, by its public interface: a recorded training step, replayed; epochs by the Trainer. */

import packageJson from '../../../package.json' with { type: 'json' };
import {
  Clock,
  DeferredAdam,
  FullRanking,
  fusedStep,
  Gpu,
  loadWeights,
  Model,
  type Plan,
  record,
  runPlans,
  type Split,
  Trainer,
  tensor,
} from '../../../src/index.ts';
import type { Task } from '../protocol.ts';
import { numbers, readTensors } from './files.ts';
import { serve } from './serve.ts';

/** A block of steps goes to the GPU in so many submits. */
const SUBMITS = 20;
const SEED = 42;

async function prepareSteps(gpu: Gpu, task: Task, weights: string, batchFile: string) {
  const model = new Model(gpu, { ...task, model: 'neumf' });
  loadWeights(model, readTensors(weights), weights);
  const clock = new Clock(gpu);
  const { lr, weightDecay } = task;
  const optimizer = new DeferredAdam(model.parameters, clock, model.tables, { lr, weightDecay });
  const file = readTensors(batchFile);
  const batch = {
    users: tensor(gpu, numbers(file, 'users', 'U32')),
    items: tensor(gpu, numbers(file, 'items', 'U32')),
    labels: tensor(gpu, numbers(file, 'labels', 'F32')),
  };
  const { clipNorm } = task;
  const plan = record(gpu, 'step', () => {
    fusedStep(batch, { model, optimizer, clock, clipNorm, dropout: { seed: SEED, step: clock.step } });
  });
  await plan.compile();
  await gpu.idle();
  return async (count: number) => {
    const start = performance.now();
    replay(gpu, plan, count);
    // One batch over and over never looks at the other rows: their part of Adam must not be left out of the time.
    optimizer.settle();
    await gpu.idle();
    const milliseconds = performance.now() - start;
    const [loss] = await clock.losses.data();
    return { milliseconds, loss: loss! };
  };
}

function replay(gpu: Gpu, plan: Plan, count: number): void {
  const each = Math.ceil(count / SUBMITS);
  for (let done = 0; done < count; done += each) {
    runPlans(gpu, 'steps', (again) => {
      for (let i = done; i < Math.min(done + each, count); i++) again(plan);
    });
  }
}

function readSplit({ users, items }: Task, interactions: string): Split {
  const file = readTensors(interactions);
  const test = { users: numbers(file, 'testUsers', 'U32'), items: numbers(file, 'testItems', 'U32') };
  return {
    users,
    items,
    train: { offsets: numbers(file, 'offsets', 'U32'), items: numbers(file, 'items', 'U32') },
    validation: null,
    test,
    negatives: null,
    untested: users - test.users.length,
  };
}

async function prepareEpoch(gpu: Gpu, task: Task, weights: string, interactions: string) {
  const split = readSplit(task, interactions);
  const { users: _users, items: _items, ...settings } = task;
  const endless = { eval: 'none', schedule: 'constant', epochs: 1_000_000, seed: SEED } as const;
  const trainer = await Trainer.create(gpu, split, { ...settings, ...endless });
  loadWeights(trainer.model, readTensors(weights), weights);
  const epochs = trainer[Symbol.asyncIterator]();
  return async () => {
    const start = performance.now();
    const { value } = await epochs.next();
    trainer.settle();
    await gpu.idle();
    const { seconds, samplesPerSecond, loss } = value!;
    return { milliseconds: performance.now() - start, samples: Math.round(samplesPerSecond * seconds), loss };
  };
}

async function prepareRanking(gpu: Gpu, task: Task, weights: string, interactions: string) {
  const model = new Model(gpu, { ...task, model: 'neumf' });
  loadWeights(model, readTensors(weights), weights);
  const ranking = new FullRanking(gpu, model, readSplit(task, interactions));
  await ranking.compile();
  await gpu.idle();
  return async () => {
    const start = performance.now();
    const ranks = await ranking.ranks();
    return { milliseconds: performance.now() - start, ranks: [...ranks] };
  };
}

await serve(async () => {
  const gpu = await Gpu.open();
  return {
    hello: {
      device: gpu.adapterName,
      versions: { 'neumf-webgpu': packageJson.version, webgpu: packageJson.dependencies.webgpu },
    },
    prepareSteps: (task, weights, batch) => prepareSteps(gpu, task, weights, batch),
    prepareEpoch: (task, weights, interactions) => prepareEpoch(gpu, task, weights, interactions),
    prepareRanking: (task, weights, interactions) => prepareRanking(gpu, task, weights, interactions),
  };
});
