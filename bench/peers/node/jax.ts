/** jax-js on WebGPU, on the same adapter: the whole step in one jit. */
import { readFileSync } from 'node:fs';
import {
  blockUntilReady,
  defaultDevice,
  getWebGPUDevice,
  init,
  jit,
  nn,
  numpy as np,
  random,
  tree,
  valueAndGrad,
} from '@jax-js/jax';
import { layerNames } from '../../../src/models/layout.ts';
import type { Task } from '../protocol.ts';
import { offerWebGpu } from './adapter.ts';
import { type Columns, readColumns, readTensors } from './files.ts';
import { JsSampler } from './js-sampler.ts';
import { serve } from './serve.ts';

// Every use of an array but the last takes `.ref`: jax-js counts references, and a call consumes its arguments.
type Arrays = Record<string, np.Array>;
type Batch = { users: np.Array; items: np.Array; labels: np.Array };
type State = {
  /** Weights that are trained, and Adam's moments for them. */
  weights: Arrays;
  m: Arrays;
  v: Arrays;
  /** Running averages. */
  averages: Arrays;
  /** Steps done. */
  step: np.Array;
};

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

function version(): string {
  // Its package.json is not among its exports.
  return JSON.parse(readFileSync(new URL('../node_modules/@jax-js/jax/package.json', import.meta.url), 'utf8')).version;
}

function initialState(weights: string): State {
  const state: State = { weights: {}, m: {}, v: {}, averages: {}, step: np.array(0) };
  for (const [name, { shape, data }] of readTensors(weights)) {
    const values = np.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] });
    if (name.includes('running_')) {
      state.averages[name] = values;
      continue;
    }
    state.weights[name] = values;
    state.m[name] = np.zeros([...shape]);
    state.v[name] = np.zeros([...shape]);
  }
  return state;
}

/** (state, batch) → (state, loss). */
function stepOf(task: Task) {
  const gradients = valueAndGrad(lossOf(task), { hasAux: true });
  return jit((state: State, batch: Batch): [State, np.Array] => {
    const step = state.step.add(1);
    const inputs = [tree.ref(state.weights), state.averages, batch, step.ref] as const;
    const [[loss, averages], grads] = gradients(...inputs) as unknown as [[np.Array, Arrays], Arrays];
    const next: State = { weights: {}, m: {}, v: {}, averages, step: step.ref };
    const correction1 = np.subtract(1, np.power(BETA1, step.ref));
    const correction2 = np.subtract(1, np.power(BETA2, step));
    const clipped = clip(task, grads);
    for (const [name, weight] of Object.entries(state.weights)) {
      let gradient = clipped[name]!;
      if (task.weightDecay > 0) gradient = gradient.add(weight.ref.mul(task.weightDecay));
      const m = state.m[name]!.mul(BETA1).add(gradient.ref.mul(1 - BETA1));
      const v = state.v[name]!.mul(BETA2).add(np.square(gradient).mul(1 - BETA2));
      const scale = np.sqrt(v.ref.div(correction2.ref)).add(EPSILON);
      next.weights[name] = weight.sub(m.ref.div(correction1.ref).div(scale).mul(task.lr));
      next.m[name] = m;
      next.v[name] = v;
    }
    correction1.dispose();
    correction2.dispose();
    return [next, loss];
  });
}

/** torch.nn.utils.clip_grad_norm_ over all gradients together. */
function clip({ clipNorm }: Task, grads: Arrays): Arrays {
  if (clipNorm === null) return grads;
  const squares = Object.values(grads).map((gradient) => np.square(gradient.ref).sum());
  const norm = np.sqrt(squares.reduce((sum, square) => sum.add(square)));
  const factor = np.minimum(1, np.divide(clipNorm, norm.add(1e-6)));
  const clipped = Object.fromEntries(Object.entries(grads).map(([name, gradient]) => [name, gradient.mul(factor.ref)]));
  factor.dispose();
  return clipped;
}

/** (weights, averages, batch, step) → the batch's mean binary cross-entropy, and the running averages after it. */
function lossOf(task: Task) {
  return (weights: Arrays, averages: Arrays, { users, items, labels }: Batch, step: np.Array): [np.Array, Arrays] => {
    const rows = (table: string, ids: np.Array) => np.take(weights[table]!, ids, 0);
    const linear = (x: np.Array, weight: string, bias: string) =>
      np.matmul(x, weights[weight]!.transpose()).add(weights[bias]!);
    const gmf = rows('gmf_user_emb.weight', users.ref).mul(rows('gmf_item_emb.weight', items.ref));
    const moved: Arrays = {};
    let x = np.concatenate([rows('mlp_user_emb.weight', users), rows('mlp_item_emb.weight', items)], 1);
    task.mlpLayers.forEach((_, layer) => {
      const { weight, bias, norm } = layerNames({ ...task, model: 'neumf' }, layer);
      x = linear(x, weight, bias);
      if (task.batchNorm) {
        const count = x.shape[0]!;
        const mean = x.ref.mean(0);
        const centred = x.sub(mean.ref);
        const variance = np.square(centred.ref).mean(0);
        moved[norm.runningMean] = averages[norm.runningMean]!.mul(0.9).add(mean.mul(0.1));
        moved[norm.runningVar] = averages[norm.runningVar]!.mul(0.9).add(variance.ref.mul((0.1 * count) / (count - 1)));
        const scale = weights[norm.gamma]!.div(np.sqrt(variance.add(1e-5)));
        x = centred.mul(scale).add(weights[norm.beta]!);
      }
      x = nn.relu(x);
      if (task.dropout > 0) {
        const key = random.key(step.ref.mul(16).add(layer).astype(np.uint32));
        const kept = random.bernoulli(key, 1 - task.dropout, x.shape);
        x = np.where(kept, x.div(1 - task.dropout), 0);
      }
    });
    step.dispose();
    const logits = linear(np.concatenate([gmf, x], 1), 'output_layer.weight', 'output_layer.bias').flatten();
    // log(1 + exp(logit)) − logit · label, without overflow.
    const soft = np.maximum(logits.ref, 0).add(np.log1p(np.exp(np.absolute(logits.ref).neg())));
    return [soft.sub(logits.mul(labels)).mean(), moved];
  };
}

/** A model in training. */
class Training {
  readonly #step: ReturnType<typeof stepOf>;
  #state: State;

  constructor(task: Task, weights: string) {
    this.#step = stepOf(task);
    this.#state = initialState(weights);
  }

  /** Takes the batch. @returns the loss, which its caller disposes of */
  run(batch: Batch): np.Array {
    const [state, loss] = this.#step(this.#state, batch);
    this.#state = state;
    return loss;
  }

  /** Resolves when all updates are done: jax-js starts them only when someone asks. */
  async ready(): Promise<void> {
    await blockUntilReady(this.#state);
  }

  dispose(): void {
    tree.dispose(this.#state);
  }
}

let before: Training | undefined;

/** A new model; the one before makes room for it. */
function prepare(task: Task, weights: string): Training {
  before?.dispose();
  before = new Training(task, weights);
  return before;
}

function batchOf({ users, items, labels }: Columns): Batch {
  return { users: np.array(users), items: np.array(items), labels: np.array(labels) };
}

async function prepareSteps(task: Task, weights: string, batchFile: string) {
  const training = prepare(task, weights);
  const batch = batchOf(readColumns(batchFile));
  return async (count: number) => {
    const start = performance.now();
    let loss = training.run(tree.ref(batch));
    for (let i = 1; i < count; i++) {
      loss.dispose();
      loss = training.run(tree.ref(batch));
    }
    await training.ready();
    const milliseconds = performance.now() - start;
    const [value] = await loss.data();
    return { milliseconds, loss: value! };
  };
}

async function prepareEpoch(task: Task, weights: string, interactions: string) {
  const training = prepare(task, weights);
  const sampler = new JsSampler(task, interactions);
  return async () => {
    const start = performance.now();
    let [samples, total] = [0, np.array(0)];
    for (const columns of sampler.epoch()) {
      const rows = columns.labels.length;
      total = total.add(training.run(batchOf(columns)).mul(rows));
      samples += rows;
      // Now and then, so that what waits to be started does not pile up.
      if (samples % (64 * rows) === 0) await training.ready();
    }
    await training.ready();
    const [sum] = await total.data();
    return { milliseconds: performance.now() - start, samples, loss: sum! / samples };
  };
}

await serve(async () => {
  offerWebGpu();
  if (!(await init('webgpu')).includes('webgpu')) throw new Error('its WebGPU backend does not start');
  defaultDevice('webgpu');
  return {
    hello: { device: getWebGPUDevice().adapterInfo.description, versions: { 'jax-js': version() } },
    prepareSteps,
    prepareEpoch,
  };
});
