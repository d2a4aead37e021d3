import type { ParameterSpec } from '../autograd/parameters.ts';
import { hasMlp, hiddenUnits, type ModelConfig } from './config.ts';

/** Names of one hidden layer's tensors: those of the lesson's torch.nn.Sequential. */
export interface LayerNames {
  readonly weight: string;
  readonly bias: string;
  /** Only with BatchNorm. */
  readonly norm: {
    readonly gamma: string;
    readonly beta: string;
    readonly runningMean: string;
    readonly runningVar: string;
  };
}

/** A layer is Linear, BatchNorm1d, ReLU, Dropout: four modules in PyTorch's numbering, or three without BatchNorm. */
export function layerNames(config: ModelConfig, layer: number): LayerNames {
  const linear = layer * (config.batchNorm ? 4 : 3);
  const norm = `mlp.${linear + 1}`;
  return {
    weight: `mlp.${linear}.weight`,
    bias: `mlp.${linear}.bias`,
    norm: {
      gamma: `${norm}.weight`,
      beta: `${norm}.bias`,
      runningMean: `${norm}.running_mean`,
      runningVar: `${norm}.running_var`,
    },
  };
}

/** Width of MF's tables of biases, of which the first column is the bias: rows of whole vectors, as all tables have. */
const BIAS_DIM = 4;

/** Width of what reaches the output layer: [GMF's product ; the MLP's last layer]. */
export function featureWidth(config: ModelConfig): number {
  const gmf = config.model === 'mlp' ? 0 : config.gmfDim;
  const mlp = hasMlp(config) ? (config.mlpLayers.at(-1) ?? 2 * config.mlpDim) : 0;
  return gmf + mlp;
}

/** h of MF: all products count once, and so do both biases; what fills their rows does not. f32[1, gmfDim + 2 · BIAS_DIM] */
function onesForMf(gmfDim: number): Float32Array<ArrayBuffer> {
  const h = new Float32Array(gmfDim + 2 * BIAS_DIM).fill(1, 0, gmfDim);
  h[gmfDim] = 1;
  h[gmfDim + BIAS_DIM] = 1;
  return h;
}

/** All tensors of a model, in the order of PyTorch's state dict. */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  const { model, users, items, gmfDim, mlpDim, batchNorm } = config;
  const layers = hiddenUnits(config);
  const specs: ParameterSpec[] = [];
  const tables = (branch: string, dim: number) => {
    specs.push({ name: `${branch}_user_emb.weight`, shape: [users, dim], table: true });
    specs.push({ name: `${branch}_item_emb.weight`, shape: [items, dim], table: true });
  };
  if (model !== 'mlp') tables('gmf', gmfDim);
  if (hasMlp(config)) tables('mlp', mlpDim);
  if (model === 'mf') {
    specs.push({ name: 'user_bias.weight', shape: [users, BIAS_DIM], columns: 1, table: true });
    specs.push({ name: 'item_bias.weight', shape: [items, BIAS_DIM], columns: 1, table: true });
  }
  layers.forEach((units, i) => {
    const { weight, bias, norm } = layerNames(config, i);
    specs.push({ name: weight, shape: [units, i ? layers[i - 1]! : 2 * mlpDim] });
    specs.push({ name: bias, shape: [units] });
    if (!batchNorm) return;
    specs.push({ name: norm.gamma, shape: [units] }, { name: norm.beta, shape: [units] });
    specs.push({ name: norm.runningMean, shape: [units], buffer: true });
    specs.push({ name: norm.runningVar, shape: [units], buffer: true });
  });
  if (model === 'mf') {
    const constant = onesForMf(gmfDim);
    specs.push({ name: 'output_layer.weight', shape: [1, constant.length], constant });
  } else {
    specs.push({ name: 'output_layer.weight', shape: [1, featureWidth(config)] });
  }
  specs.push({ name: 'output_layer.bias', shape: [1] });
  return specs;
}
