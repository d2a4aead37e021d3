import { concat } from '../autograd/ops/concat.ts';
import { byRanges } from '../autograd/shards.ts';
import { noGrad, tapeOf } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { hasMlp } from './config.ts';
import type { Model } from './model.ts';

/**
 * What a model knows of each user or each item, f32[rows, dimensions]: the vectors that a two-tower model makes of them, else
 * the rows of its embedding tables, GMF's and the MLP's side by side where it has both. MF's biases are left out: how popular
 * an item is says nothing of what it is like.
 * Appends to the tape of the moment; the values are those of the moment when that runs.
 */
export function embeddings(model: Model, of: 'users' | 'items'): Tensor {
  const { parameters, config, tables } = model;
  const { gpu } = parameters;
  if (config.model === 'two-tower') return model.vectors(of);
  return noGrad(gpu, () => {
    parameters.settle?.(tapeOf(gpu).plan);
    const gmf = tables.gmf?.[of];
    const mlp = hasMlp(config) ? tables.mlp?.[of] : undefined;
    if (!gmf || !mlp) return (gmf ?? mlp)!;
    return byRanges([gmf, mlp], gmf.shape[1]! + mlp.shape[1]!, concat);
  });
}
