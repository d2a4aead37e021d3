/** TensorFlow.js on its WebGPU backend, which runs on the same adapter. */
import * as tf from '@tensorflow/tfjs';
import { layerNames } from '../../../src/models/layout.ts';
import type { Task } from '../protocol.ts';
import { offerWebGpu } from './adapter.ts';
import { type Columns, readColumns, readTensors } from './files.ts';
import { JsSampler } from './js-sampler.ts';
import { serve } from './serve.ts';

interface Batch {
  readonly users: tf.Tensor1D;
  readonly items: tf.Tensor1D;
  readonly labels: tf.Tensor;
}

/** The training step; it gives the loss as a tensor that its caller disposes of. */
class Step {
  readonly #task: Task;
  readonly #weights: ReadonlyMap<string, tf.Variable>;
  readonly #optimizer: tf.Optimizer;

  constructor(task: Task, weights: string) {
    const named = Array.from(readTensors(weights), ([name, { shape, data }]) => {
      const trained = !name.includes('running_');
      return [name, tf.variable(tf.tensor(data as Float32Array, [...shape]), trained)] as const;
    });
    this.#task = task;
    this.#weights = new Map(named);
    this.#optimizer = tf.train.adam(task.lr, 0.9, 0.999, 1e-8);
  }

  run(batch: Batch): tf.Scalar {
    return tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => tf.losses.sigmoidCrossEntropy(batch.labels, this.#logits(batch)));
      this.#optimizer.applyGradients(this.#decayed(this.#clipped(grads)));
      return value;
    });
  }

  dispose(): void {
    tf.dispose([...this.#weights.values()]);
    this.#optimizer.dispose();
  }

  #logits({ users, items }: Batch): tf.Tensor {
    const gmf = tf.mul(
      tf.gather(this.#get('gmf_user_emb.weight') as tf.Tensor, users),
      tf.gather(this.#get('gmf_item_emb.weight') as tf.Tensor, items),
    );
    const pair = [
      tf.gather(this.#get('mlp_user_emb.weight') as tf.Tensor, users),
      tf.gather(this.#get('mlp_item_emb.weight') as tf.Tensor, items),
    ];
    const mlp = this.#task.mlpLayers.reduce((x, _, layer) => this.#hidden(x, layer), tf.concat(pair, 1));
    return this.#linear(tf.concat([gmf, mlp], 1), 'output_layer.weight', 'output_layer.bias', 'linear');
  }

  #hidden(x: tf.Tensor, layer: number): tf.Tensor {
    const { batchNorm, dropout } = this.#task;
    const names = layerNames({ ...this.#task, model: 'neumf' }, layer);
    const z = this.#linear(x, names.weight, names.bias, batchNorm ? 'linear' : 'relu');
    const y = batchNorm ? tf.relu(this.#normalised(z, names.norm)) : z;
    return dropout > 0 ? tf.dropout(y, dropout) : y;
  }

  #linear(a: tf.Tensor, weight: string, bias: string, activation: 'linear' | 'relu'): tf.Tensor {
    const b = this.#get(weight);
    return tf.fused.matMul({ a, b, transposeB: true, bias: this.#get(bias), activation });
  }

  /** Batch statistics, and the running averages as torch.nn.BatchNorm1d moves them (momentum 0.1, unbiased variance). */
  #normalised(z: tf.Tensor, names: ReturnType<typeof layerNames>['norm']): tf.Tensor {
    const { mean, variance } = tf.moments(z, 0);
    const rows = z.shape[0]!;
    const move = (name: string, value: tf.Tensor) => {
      const running = this.#get(name);
      running.assign(tf.add(tf.mul(running, 0.9), tf.mul(value, 0.1)));
    };
    move(names.runningMean, mean);
    move(names.runningVar, tf.mul(variance, rows / (rows - 1)));
    return tf.batchNorm(
      z,
      mean as tf.Tensor1D,
      variance as tf.Tensor1D,
      this.#get(names.beta) as unknown as tf.Tensor1D,
      this.#get(names.gamma) as unknown as tf.Tensor1D,
      1e-5,
    );
  }

  /** torch.nn.utils.clip_grad_norm_ over all gradients together. */
  #clipped(grads: tf.NamedTensorMap): tf.NamedTensorMap {
    const { clipNorm } = this.#task;
    if (clipNorm === null) return grads;
    // tf.addN binds all its inputs at once, more than the eight that WebGPU promises.
    const squares = Object.values(grads).map((gradient) => tf.sum(tf.square(gradient)));
    const norm = tf.sqrt(squares.reduce((sum, square) => tf.add(sum, square)));
    const factor = tf.minimum(1, tf.div(clipNorm, tf.add(norm, 1e-6)));
    return mapped(grads, (gradient) => tf.mul(gradient, factor));
  }

  #decayed(grads: tf.NamedTensorMap): tf.NamedTensorMap {
    const { weightDecay } = this.#task;
    if (weightDecay === 0) return grads;
    const byName = new Map(Array.from(this.#weights.values(), (variable) => [variable.name, variable]));
    return mapped(grads, (gradient, name) => tf.add(gradient, tf.mul(byName.get(name)!, weightDecay)));
  }

  #get(name: string): tf.Variable {
    return this.#weights.get(name)!;
  }
}

function mapped(grads: tf.NamedTensorMap, change: (gradient: tf.Tensor, name: string) => tf.Tensor): tf.NamedTensorMap {
  return Object.fromEntries(Object.entries(grads).map(([name, gradient]) => [name, change(gradient, name)]));
}

async function prepareSteps(task: Task, weights: string, batchFile: string) {
  const step = prepare(task, weights);
  const batch = batchOf(readColumns(batchFile));
  return async (count: number) => {
    const start = performance.now();
    let loss = step.run(batch);
    for (let i = 1; i < count; i++) {
      loss.dispose();
      loss = step.run(batch);
    }
    const value = await read(loss);
    return { milliseconds: performance.now() - start, loss: value };
  };
}

async function prepareEpoch(task: Task, weights: string, interactions: string) {
  const step = prepare(task, weights);
  const sampler = new JsSampler(task, interactions);
  return async () => {
    const start = performance.now();
    let [samples, total] = [0, tf.scalar(0)];
    for (const columns of sampler.epoch()) {
      const batch = batchOf(columns);
      const rows = columns.labels.length;
      const sum = tf.tidy(() => tf.add(total, tf.mul(step.run(batch), rows)) as tf.Scalar);
      tf.dispose([batch.users, batch.items, batch.labels, total]);
      total = sum;
      samples += rows;
    }
    const loss = (await read(total)) / samples;
    return { milliseconds: performance.now() - start, samples, loss };
  };
}

let before: Step | undefined;

/** A new model; the one before makes room for it. */
function prepare(task: Task, weights: string): Step {
  before?.dispose();
  before = new Step(task, weights);
  return before;
}

function batchOf({ users, items, labels }: Columns): Batch {
  return {
    users: tf.tensor1d(users, 'int32'),
    items: tf.tensor1d(items, 'int32'),
    labels: tf.tensor2d(labels, [labels.length, 1]),
  };
}

/** The queue keeps its order, so that a loss that is read after an update was queued waits for the update too. */
async function read(loss: tf.Scalar): Promise<number> {
  const [value] = await loss.data();
  loss.dispose();
  return value!;
}

await serve(async () => {
  offerWebGpu();
  await import('@tensorflow/tfjs-backend-webgpu'); // registers itself where there is a navigator.gpu
  if (!(await tf.setBackend('webgpu'))) throw new Error('its WebGPU backend does not start');
  const { device } = tf.backend() as unknown as { device: GPUDevice };
  return {
    hello: { device: device.adapterInfo.description, versions: { 'tfjs-backend-webgpu': tf.version['tfjs-core'] } },
    prepareSteps,
    prepareEpoch,
  };
});
