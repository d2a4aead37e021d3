import type { ParameterSpec } from '../autograd/parameters.ts';
import type { RowRange } from '../autograd/shards.ts';
import { elements } from '../autograd/tensor.ts';
import { pcg4d, STREAM } from '../random.ts';

/** Standard deviation of the embeddings (He et al. 2017, section 4.1). */
const EMBEDDING_STD = 0.01;

/**
 * The initial values of one tensor, as the lesson's model has them: embeddings N(0, 0.01), weights Xavier uniform
 * (Glorot and Bengio 2010), biases 0 (MF's tables of them as well), BatchNorm's scales and variances 1.
 * @param index the tensor's place in the model: each tensor draws from a stream of its own
 * @param range only these rows of an embedding table; the first is a multiple of 4
 */
export function initialValues(
  spec: ParameterSpec,
  index: number,
  seed: number,
  range: RowRange = { first: 0, rows: spec.shape[0]! },
): Float32Array<ArrayBuffer> {
  const { name, shape, constant } = spec;
  if (constant) return constant;
  const width = elements(shape) / shape[0]!;
  const values = new Float32Array(range.rows * width);
  const stream = STREAM.weights + index;
  if (name.includes('_emb.')) return normal(values, EMBEDDING_STD, seed, stream, (range.first * width) / 4);
  if (shape.length === 2 && !name.includes('_bias.')) {
    const [outputs, inputs] = shape as [number, number];
    return uniform(values, Math.sqrt(6 / (inputs + outputs)), seed, stream);
  }
  const isScale = name.endsWith('running_var') || (name.endsWith('.weight') && shape.length === 1);
  return values.fill(isScale ? 1 : 0);
}

/** Box and Muller 1958: four normal numbers from four random words. @param first the number of the first four */
function normal(
  values: Float32Array<ArrayBuffer>,
  std: number,
  seed: number,
  stream: number,
  first: number,
): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(4);
  for (let i = 0; i < values.length; i += 4) {
    pcg4d(words, seed, stream, 0, first + i / 4);
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = std * Math.sqrt(-2 * Math.log((words[pair]! + 1) / 2 ** 32));
      const angle = (2 * Math.PI * words[pair + 1]!) / 2 ** 32;
      if (i + pair < values.length) values[i + pair] = radius * Math.cos(angle);
      if (i + pair + 1 < values.length) values[i + pair + 1] = radius * Math.sin(angle);
    }
  }
  return values;
}

function uniform(
  values: Float32Array<ArrayBuffer>,
  bound: number,
  seed: number,
  stream: number,
): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(4);
  for (let i = 0; i < values.length; i++) {
    if (i % 4 === 0) pcg4d(words, seed, stream, 0, i / 4);
    values[i] = bound * ((2 * words[i % 4]!) / 2 ** 32 - 1);
  }
  return values;
}
