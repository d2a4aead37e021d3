import { DataError } from '../errors.ts';
import type { ModelConfig, ModelKind } from './config.ts';
import { parameterSpecs } from './layout.ts';
import type { StoredTensor } from './safetensors.ts';
import { checkTensors, type SavedParameter, savedParameters } from './weights.ts';

/** What a model's weights tell of its shape; sizes that its kind does not use are left out, and so is dropout. */
export type Sizes = Pick<ModelConfig, 'model' | 'users' | 'items'> &
  Partial<Pick<ModelConfig, 'gmfDim' | 'mlpDim' | 'mlpLayers' | 'batchNorm'>>;

const NO_SIZES = { gmfDim: 0, mlpDim: 0, mlpLayers: [], batchNorm: false, dropout: 0 };

/**
 * The sizes of the MF, GMF, MLP or NeuMF that these tensors are the weights of, under PyTorch's names. Other tensors may
 * stand beside them.
 * @param source where they come from, for the error
 * Throws DataError when one is missing, or when their shapes do not go together.
 */
export function sizesOf(tensors: ReadonlyMap<string, StoredTensor>, source: string): Sizes {
  const table = (name: string) => {
    const [rows = 0, dim = 0] = tensors.get(name)?.shape ?? [];
    return { rows, dim };
  };
  const kind = kindOf(tensors, source);
  const branch = kind === 'mlp' ? 'mlp' : 'gmf';
  const sizes: Sizes = {
    model: kind,
    users: table(`${branch}_user_emb.weight`).rows,
    items: table(`${branch}_item_emb.weight`).rows,
    ...(kind === 'mlp' ? {} : { gmfDim: table('gmf_user_emb.weight').dim }),
    ...(kind === 'mlp' || kind === 'neumf' ? { mlpDim: table('mlp_user_emb.weight').dim, ...towerOf(tensors) } : {}),
  };
  checkTensors(parametersOf(sizes), tensors, source);
  return sizes;
}

/** The tensors that a model of these sizes has in files. */
export function parametersOf(sizes: Sizes): SavedParameter[] {
  return savedParameters(parameterSpecs({ ...NO_SIZES, ...sizes }));
}

function kindOf(tensors: ReadonlyMap<string, StoredTensor>, source: string): ModelKind {
  const mlp = tensors.has('mlp_user_emb.weight');
  if (tensors.has('gmf_user_emb.weight')) return mlp ? 'neumf' : tensors.has('user_bias.weight') ? 'mf' : 'gmf';
  if (mlp) return 'mlp';
  throw new DataError(
    `${source}: it has neither gmf_user_emb.weight nor mlp_user_emb.weight; weights of MF, GMF, MLP or NeuMF would be right`,
  );
}

/** The hidden layers: the modules of torch.nn.Sequential that have a matrix. */
function towerOf(tensors: ReadonlyMap<string, StoredTensor>): Required<Pick<Sizes, 'mlpLayers' | 'batchNorm'>> {
  const module = (name: string) => Number(name.split('.')[1]);
  const matrices = [...tensors].filter(([name, { shape }]) => /^mlp\.\d+\.weight$/.test(name) && shape.length === 2);
  matrices.sort(([a], [b]) => module(a) - module(b));
  return {
    mlpLayers: matrices.map(([, { shape }]) => shape[0]!),
    batchNorm: [...tensors.keys()].some((name) => /^mlp\.\d+\.running_mean$/.test(name)),
  };
}
