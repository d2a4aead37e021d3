import type { ParameterSpec } from '../autograd/parameters.ts';
import { hasGmf, hasMlp, type ModelConfig } from './config.ts';

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

/** Each a torch.nn.Sequential: the MLP, and a two-tower model's towers. */
export const MODULES = ['mlp', 'user_tower', 'item_tower'] as const;
export type Module = (typeof MODULES)[number];

/** A layer is Linear, BatchNorm1d, ReLU, Dropout: four modules in PyTorch's numbering, or three without BatchNorm. */
export function layerNames(
  config: Pick<ModelConfig, 'batchNorm'>,
  layer: number,
  sequential: Module = 'mlp',
): LayerNames {
  const linear = layer * (config.batchNorm ? 4 : 3);
  const norm = `${sequential}.${linear + 1}`;
  return {
    weight: `${sequential}.${linear}.weight`,
    bias: `${sequential}.${linear}.bias`,
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

/** Width of what reaches the output layer: [GMF's product ; the MLP's last layer], or the product of the towers' vectors. */
export function featureWidth(config: ModelConfig): number {
  if (config.model === 'two-tower') return config.mlpLayers.at(-1) ?? config.mlpDim;
  const gmf = hasGmf(config) ? config.gmfDim : 0;
  const mlp = hasMlp(config) ? (config.mlpLayers.at(-1) ?? 2 * config.mlpDim) : 0;
  return gmf + mlp;
}

/** One of a model's layers, in the order in which they are applied. */
export interface LayerSpec extends LayerNames {
  /** Its place among all layers of the model: dropout draws other numbers for each. */
  readonly place: number;
  readonly inputs: number;
  readonly units: number;
  /** Whether it is linear alone, without BatchNorm, ReLU and Dropout: a tower's last one. */
  readonly isLinear: boolean;
}

/** The layers of a module; none where the model has no such module. */
export function layersOf(config: ModelConfig, sequential: Module): LayerSpec[] {
  const { mlpDim, mlpLayers } = config;
  const isTower = sequential !== 'mlp';
  if (isTower ? config.model !== 'two-tower' : !hasMlp(config)) return [];
  return mlpLayers.map((units, i) => ({
    ...layerNames(config, i, sequential),
    place: sequential === 'item_tower' ? mlpLayers.length + i : i,
    inputs: mlpLayers[i - 1] ?? (isTower ? mlpDim : 2 * mlpDim),
    units,
    isLinear: isTower && i === mlpLayers.length - 1,
  }));
}

/**
 * The output layer's weight h, f32[1, width], where it is no parameter. MF: all products count once, and so do both biases;
 * what fills their rows does not. Two towers: the dot product of their vectors.
 */
function constantOutput(config: ModelConfig): Float32Array<ArrayBuffer> | null {
  if (config.model === 'two-tower') return new Float32Array(featureWidth(config)).fill(1);
  if (config.model !== 'mf') return null;
  const { gmfDim } = config;
  const h = new Float32Array(gmfDim + 2 * BIAS_DIM).fill(1, 0, gmfDim);
  h[gmfDim] = 1;
  h[gmfDim + BIAS_DIM] = 1;
  return h;
}

/** All tensors of a model, in the order of PyTorch's state dict. */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  const { model, users, items, gmfDim, mlpDim } = config;
  const specs: ParameterSpec[] = [];
  const tables = (prefix: string, dim: number) => {
    specs.push({ name: `${prefix}user_emb.weight`, shape: [users, dim], table: true });
    specs.push({ name: `${prefix}item_emb.weight`, shape: [items, dim], table: true });
  };
  if (hasGmf(config)) tables('gmf_', gmfDim);
  if (hasMlp(config)) tables('mlp_', mlpDim);
  if (model === 'two-tower') tables('', mlpDim);
  if (model === 'mf') {
    specs.push({ name: 'user_bias.weight', shape: [users, BIAS_DIM], columns: 1, table: true });
    specs.push({ name: 'item_bias.weight', shape: [items, BIAS_DIM], columns: 1, table: true });
  }
  for (const sequential of MODULES)
    specs.push(...layersOf(config, sequential).flatMap((layer) => layerSpecs(config, layer)));
  const constant = constantOutput(config);
  if (constant) specs.push({ name: 'output_layer.weight', shape: [1, constant.length], constant });
  else specs.push({ name: 'output_layer.weight', shape: [1, featureWidth(config)] });
  specs.push({ name: 'output_layer.bias', shape: [1] });
  return specs;
}

function layerSpecs(
  { batchNorm }: ModelConfig,
  { weight, bias, norm, inputs, units, isLinear }: LayerSpec,
): ParameterSpec[] {
  const specs: ParameterSpec[] = [
    { name: weight, shape: [units, inputs] },
    { name: bias, shape: [units] },
  ];
  if (!batchNorm || isLinear) return specs;
  return [
    ...specs,
    { name: norm.gamma, shape: [units] },
    { name: norm.beta, shape: [units] },
    { name: norm.runningMean, shape: [units], buffer: true },
    { name: norm.runningVar, shape: [units], buffer: true },
  ];
}
