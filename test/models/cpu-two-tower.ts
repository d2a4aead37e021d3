/** The two-tower model in float64 and plain loops. */
import type { ModelConfig } from '../../src/models/config.ts';
import { bceLosses } from '../reference/bce.ts';
import { type InBatch, inBatchSoftmaxLosses } from '../reference/in-batch-softmax.ts';
import { layerForward, linear, type Rows, type Weights } from './cpu-layers.ts';
import type { CpuBatch } from './cpu-trainer.ts';

type Config = Pick<ModelConfig, 'mlpDim' | 'mlpLayers' | 'batchNorm'>;

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
const dot = (u: readonly number[], v: readonly number[]) => u.reduce((sum, value, k) => sum + value * v[k]!, 0);

/** The vectors of a tower: layers of the batch's embeddings, the last one linear. */
function tower(
  side: 'user' | 'item',
  ids: readonly number[],
  { mlpDim, mlpLayers, batchNorm }: Config,
  weights: Weights,
  training: boolean,
): Rows {
  const table = weights.get(`${side}_emb.weight`)!;
  const rows = ids.map((id) => table.slice(id * mlpDim, (id + 1) * mlpDim));
  const stride = batchNorm ? 4 : 3;
  return mlpLayers.reduce((x, _, i) => {
    const at = `${side}_tower.${stride * i}`;
    if (i === mlpLayers.length - 1) return linear(at, weights, x);
    const norm = batchNorm ? `${side}_tower.${stride * i + 1}` : null;
    return layerForward({ linear: at, norm }, weights, x, training).y;
  }, rows);
}

/** Logits of the pairs; BatchNorm in training by the batch's statistics, which move the running averages. */
export function twoTowerLogits(
  config: Config,
  weights: Weights,
  { users, items }: Pick<CpuBatch, 'users' | 'items'>,
  training = false,
): number[] {
  const [u, v] = [tower('user', users, config, weights, training), tower('item', items, config, weights, training)];
  return u.map((row, b) => dot(row, v[b]!) + weights.get('output_layer.bias')![0]!);
}

/** The mean binary cross-entropy of a batch in training, without dropout. */
export function twoTowerBce(config: Config, weights: Weights, batch: CpuBatch): number {
  return mean(bceLosses(twoTowerLogits(config, weights, batch, true), batch.labels));
}

/** The mean softmax cross-entropy within a batch in training, without dropout. */
export function twoTowerSoftmax(
  config: Config,
  weights: Weights,
  { users, items }: CpuBatch,
  { logQ, scale }: Pick<InBatch, 'logQ' | 'scale'>,
): number {
  const u = tower('user', users, config, weights, true);
  const v = tower('item', items, config, weights, true);
  const logits = u.flatMap((row) => v.map((other) => dot(row, other)));
  return mean(inBatchSoftmaxLosses(logits, { items, logQ, scale }));
}
