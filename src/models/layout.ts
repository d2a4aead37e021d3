import type { ParameterSpec } from '../autograd/parameters.ts';
import type { ModelConfig } from './config.ts';

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

/** Width of what reaches the output layer: [GMF's product ; the MLP's last layer]. */
export function featureWidth({ model, gmfDim, mlpDim, mlpLayers }: ModelConfig): number {
  const gmf = model === 'mlp' ? 0 : gmfDim;
  const mlp = model === 'gmf' ? 0 : (mlpLayers.at(-1) ?? 2 * mlpDim);
  return gmf + mlp;
}

/** All tensors of a model, in the order of PyTorch's state dict. */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  const { model, users, items, gmfDim, mlpDim, mlpLayers, batchNorm } = config;
  const specs: ParameterSpec[] = [];
  const tables = (branch: string, dim: number) => {
    specs.push({ name: `${branch}_user_emb.weight`, shape: [users, dim] });
    specs.push({ name: `${branch}_item_emb.weight`, shape: [items, dim] });
  };
  if (model !== 'mlp') tables('gmf', gmfDim);
  if (model !== 'gmf') {
    tables('mlp', mlpDim);
    mlpLayers.forEach((units, i) => {
      const { weight, bias, norm } = layerNames(config, i);
      specs.push({ name: weight, shape: [units, i ? mlpLayers[i - 1]! : 2 * mlpDim] });
      specs.push({ name: bias, shape: [units] });
      if (!batchNorm) return;
      specs.push({ name: norm.gamma, shape: [units] }, { name: norm.beta, shape: [units] });
      specs.push({ name: norm.runningMean, shape: [units], buffer: true });
      specs.push({ name: norm.runningVar, shape: [units], buffer: true });
    });
  }
  specs.push({ name: 'output_layer.weight', shape: [1, featureWidth(config)] });
  specs.push({ name: 'output_layer.bias', shape: [1] });
  return specs;
}
