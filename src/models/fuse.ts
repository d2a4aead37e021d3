import { ConfigError, DataError } from '../errors.ts';
import type { ModelKind } from './config.ts';
import type { StoredTensor } from './safetensors.ts';
import { type Sizes, sizesOf } from './sizes.ts';

/** A trained model's weights under PyTorch's names, and where they come from, for errors. */
export interface TrainedWeights {
  readonly weights: ReadonlyMap<string, StoredTensor>;
  readonly source: string;
}

const H = 'output_layer.weight';
const B = 'output_layer.bias';

/**
 * NeuMF's weights from a trained GMF and a trained MLP (He et al. 2017, section 3.4.1): tables and hidden layers as they
 * are, BatchNorm's running averages too, and in the output layer
 *
 *   h = [α h_GMF ; (1 − α) h_MLP]        b = α b_GMF + (1 − α) b_MLP
 *
 * so that logit_NeuMF = α logit_GMF + (1 − α) logit_MLP. The paper takes α = ½.
 * Throws ConfigError for an α outside of [0, 1], DataError for weights of other models or of other users or items.
 */
export function fuse(gmf: TrainedWeights, mlp: TrainedWeights, alpha = 0.5): Map<string, StoredTensor> {
  if (!(alpha >= 0 && alpha <= 1)) throw new ConfigError(`alpha ${alpha}: a number from 0 to 1 would be right`);
  const own = checkKind(gmf, 'gmf');
  const other = checkKind(mlp, 'mlp');
  for (const side of ['users', 'items'] as const) {
    if (own[side] !== other[side]) {
      throw new DataError(
        `${mlp.source}: it has ${other[side]} ${side}, and ${gmf.source} has ${own[side]}; models of the same data would be right`,
      );
    }
  }
  const scaled = (model: TrainedWeights, name: string, factor: number) =>
    Array.from(model.weights.get(name)!.data, (value) => factor * value);
  const h = [...scaled(gmf, H, alpha), ...scaled(mlp, H, 1 - alpha)];
  const b = scaled(gmf, B, alpha)[0]! + scaled(mlp, B, 1 - alpha)[0]!;
  const fused = new Map([...gmf.weights, ...mlp.weights]);
  fused.set(H, { shape: [1, h.length], data: Float32Array.from(h) });
  fused.set(B, { shape: [1], data: Float32Array.of(b) });
  return fused;
}

function checkKind({ weights, source }: TrainedWeights, kind: ModelKind): Sizes {
  const sizes = sizesOf(weights, source);
  if (sizes.model === kind) return sizes;
  throw new DataError(`${source}: it is a model of kind ${sizes.model}, and one of kind ${kind} would be right`);
}
