import { DataError } from '../errors.ts';
import type { Model } from './model.ts';
import type { StoredTensor } from './safetensors.ts';

/** All of a model's tensors, read back, under PyTorch's names. */
export async function readWeights(model: Model): Promise<Map<string, StoredTensor>> {
  const weights = new Map<string, StoredTensor>();
  for (const [name, tensor] of model.parameters.entries()) {
    weights.set(name, { shape: tensor.shape, data: await tensor.data() });
  }
  return weights;
}

/**
 * Throws DataError when a tensor that the model needs is missing or has another shape.
 * @param source where they come from, for the error
 */
export function checkWeights(model: Model, weights: ReadonlyMap<string, StoredTensor>, source: string): void {
  for (const { name, shape } of model.parameters.specs) {
    const stored = weights.get(name);
    if (!stored) throw new DataError(`${source}: it has no tensor ${name}, which this model needs`);
    if (stored.shape.join() !== shape.join()) {
      throw new DataError(
        `${source}: ${name} is [${stored.shape.join(', ')}], and this model has [${shape.join(', ')}]`,
      );
    }
  }
}

/** Sets all of a model's tensors. Throws DataError as checkWeights does; the model is unchanged then. */
export function loadWeights(model: Model, weights: ReadonlyMap<string, StoredTensor>, source: string): void {
  checkWeights(model, weights, source);
  for (const [name, tensor] of model.parameters.entries()) tensor.write(weights.get(name)!.data);
}
