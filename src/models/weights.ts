import { type ParameterSpec, savedShape } from '../autograd/parameters.ts';
import { elements, type Shape } from '../autograd/tensor.ts';
import { DataError } from '../errors.ts';
import type { Model } from './model.ts';
import type { StoredTensor } from './safetensors.ts';

/** All of a model's tensors, read back, under PyTorch's names. */
export async function readWeights(model: Model): Promise<Map<string, StoredTensor>> {
  const weights = new Map<string, StoredTensor>();
  for (const spec of savedSpecs(model)) {
    const data = (await model.parameters.get(spec.name).data()) as Float32Array<ArrayBuffer>;
    weights.set(spec.name, { shape: savedShape(spec), data: narrow(data, spec) });
  }
  return weights;
}

/**
 * Throws DataError when a tensor that the model needs is missing, has another shape, or a value that is not finite.
 * @param source where they come from, for the error
 */
export function checkWeights(model: Model, weights: ReadonlyMap<string, StoredTensor>, source: string): void {
  checkTensors(savedParameters(model.parameters.specs), weights, source);
}

/** As checkWeights, of the tensors with these names and shapes. @param what needs them, for the error */
export function checkTensors(
  needed: readonly SavedParameter[],
  weights: ReadonlyMap<string, StoredTensor>,
  source: string,
  what: 'model' | 'run' = 'model',
): void {
  checkShapes(needed, weights, source, what);
  for (const { name } of needed) {
    const stored = weights.get(name)!;
    // Its bits would be taken for those of floats.
    if (stored.data instanceof Uint32Array) throw new DataError(`${source}: ${name} is U32, and F32 would be right`);
    checkFinite(name, stored, source);
  }
}

/** As checkTensors, where nothing but the shapes is known. */
export function checkShapes(
  needed: readonly SavedParameter[],
  stored: ReadonlyMap<string, Pick<StoredTensor, 'shape'>>,
  source: string,
  what: 'model' | 'run' = 'model',
): void {
  for (const { name, shape } of needed) {
    const own = stored.get(name)?.shape;
    if (!own) throw new DataError(`${source}: it has no tensor ${name}, which this ${what} needs`);
    if (own.join() !== shape.join()) {
      throw new DataError(`${source}: ${name} is [${own.join(', ')}], and this model has [${shape.join(', ')}]`);
    }
  }
}

/** Throws DataError for a value that is infinite or not a number: nothing could be computed with it. */
export function checkFinite(name: string, tensor: StoredTensor, source: string): void {
  const found = nonFinite(name, tensor);
  if (found) throw new DataError(`${source}: ${found}; a file of finite numbers would be right`);
}

/** The first value that is infinite or not a number, such as "mlp.0.weight[3, 1] is NaN"; null where there is none. */
export function nonFinite(name: string, { shape, data }: StoredTensor): string | null {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    let rest = i;
    const place = shape.toReversed().map((size) => {
      const index = rest % size;
      rest = (rest - index) / size;
      return index;
    });
    return `${name}[${place.reverse().join(', ')}] is ${data[i]}`;
  }
  return null;
}

/** Sets all of a model's tensors. Throws DataError as checkWeights does; the model is unchanged then. */
export function loadWeights(model: Model, weights: ReadonlyMap<string, StoredTensor>, source: string): void {
  checkWeights(model, weights, source);
  for (const spec of savedSpecs(model))
    model.parameters.get(spec.name).write(widen(weights.get(spec.name)!.data, spec));
}

export interface SavedParameter {
  readonly name: string;
  readonly shape: Shape;
}

/** Names and shapes of a model's tensors in files. */
export function savedParameters(specs: readonly ParameterSpec[]): SavedParameter[] {
  return specs.filter(isSaved).map((spec) => ({ name: spec.name, shape: savedShape(spec) }));
}

const isSaved = ({ constant }: ParameterSpec) => !constant;
const savedSpecs = ({ parameters }: Model) => parameters.specs.filter(isSaved);

/** A table's rows without the columns that only fill them. */
function narrow(data: Float32Array<ArrayBuffer>, { shape, columns }: ParameterSpec): Float32Array<ArrayBuffer> {
  if (columns === undefined) return data;
  return Float32Array.from({ length: shape[0]! * columns }, (_, i) => data[placeOf(i, columns, shape[1]!)]!);
}

/** The inverse of narrow. */
function widen(data: StoredTensor['data'], { shape, columns }: ParameterSpec): StoredTensor['data'] {
  if (columns === undefined) return data;
  const wide = new Float32Array(elements(shape));
  for (let i = 0; i < data.length; i++) wide[placeOf(i, columns, shape[1]!)] = data[i]!;
  return wide;
}

/** Where element i of rows of `columns` lies in rows of `width`. */
const placeOf = (i: number, columns: number, width: number) => Math.floor(i / columns) * width + (i % columns);
