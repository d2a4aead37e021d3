import { DataError } from '../errors.ts';
import { hasGmf, hasMlp, type ModelConfig, type ModelKind } from './config.ts';
import { type Module, parameterSpecs } from './layout.ts';
import type { StoredTensor } from './safetensors.ts';
import { checkTensors, type SavedParameter, savedParameters } from './weights.ts';

/** What a model's weights tell of its shape; sizes that its kind does not use are left out, and so is dropout. */
export type Sizes = Pick<ModelConfig, 'model' | 'users' | 'items'> &
  Partial<Pick<ModelConfig, 'gmfDim' | 'mlpDim' | 'mlpLayers' | 'batchNorm'>>;

const NO_SIZES = { gmfDim: 0, mlpDim: 0, mlpLayers: [], batchNorm: false, dropout: 0 };

/**
 * The sizes of the model that these tensors are the weights of, under PyTorch's names. Other tensors may stand beside them.
 * @param source where they come from, for the error
 * Throws DataError when one is missing, or when their shapes do not go together.
 */
export function sizesOf(tensors: ReadonlyMap<string, StoredTensor>, source: string): Sizes {
  const table = (name: string) => {
    const [rows = 0, dim = 0] = tensors.get(name)?.shape ?? [];
    return { rows, dim };
  };
  const model = kindOf(tensors, source);
  const isTowers = model === 'two-tower';
  const prefix = isTowers ? '' : hasGmf({ model }) ? 'gmf_' : 'mlp_';
  const sizes: Sizes = {
    model,
    users: table(`${prefix}user_emb.weight`).rows,
    items: table(`${prefix}item_emb.weight`).rows,
    ...(hasGmf({ model }) ? { gmfDim: table('gmf_user_emb.weight').dim } : {}),
    ...(hasMlp({ model }) ? { mlpDim: table('mlp_user_emb.weight').dim, ...layersIn(tensors, 'mlp') } : {}),
    ...(isTowers ? { mlpDim: table('user_emb.weight').dim, ...layersIn(tensors, 'user_tower') } : {}),
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
  if (tensors.has('user_emb.weight')) return 'two-tower';
  throw new DataError(
    `${source}: it has neither gmf_user_emb.weight nor mlp_user_emb.weight nor user_emb.weight; weights of MF, GMF, MLP, NeuMF or a two-tower model would be right`,
  );
}

/** The layers of a torch.nn.Sequential: those of its modules that have a matrix. */
function layersIn(
  tensors: ReadonlyMap<string, StoredTensor>,
  sequential: Module,
): Required<Pick<Sizes, 'mlpLayers' | 'batchNorm'>> {
  const numbered = (end: string) => new RegExp(`^${sequential}\\.\\d+\\.${end}$`);
  const place = (name: string) => Number(name.split('.')[1]);
  const matrices = [...tensors].filter(([name, { shape }]) => numbered('weight').test(name) && shape.length === 2);
  matrices.sort(([a], [b]) => place(a) - place(b));
  return {
    mlpLayers: matrices.map(([, { shape }]) => shape[0]!),
    batchNorm: [...tensors.keys()].some((name) => numbered('running_mean').test(name)),
  };
}
