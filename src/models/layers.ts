import { type BatchNormTensors, foldBatchNorm, linearBatchNormRelu } from '../autograd/ops/batch-norm.ts';
import { type DropoutOptions, dropout } from '../autograd/ops/dropout.ts';
import { linear, linearRelu } from '../autograd/ops/linear.ts';
import type { Parameters } from '../autograd/parameters.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { ModelConfig } from './config.ts';
import { type LayerSpec, layersOf, type Module } from './layout.ts';

/** Seed and clock of the dropout masks. */
export type DropoutSource = Omit<DropoutOptions, 'layer'>;

/** The output of a module's layers, one behind the other, each dropout(relu(batchNorm(W x + b))) or W x + b alone. */
export type Layers = (x: Tensor, sequential: Module) => Tensor;

/** A layer in evaluation: relu(weight · x + bias), or without the rectifier. */
export interface EvaluatedLayer {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly isLinear: boolean;
}

/** The layers in training, with batch statistics and, where a source is given, dropout. */
export function trainedLayers(parameters: Parameters, config: ModelConfig, source?: DropoutSource): Layers {
  const p = source ? config.dropout : 0;
  const apply = (x: Tensor, layer: LayerSpec) => {
    const [weight, bias] = [parameters.get(layer.weight), parameters.get(layer.bias)];
    if (layer.isLinear) return linear(x, weight, bias);
    const options = source && { ...source, layer: layer.place };
    if (config.batchNorm) return linearBatchNormRelu(x, weight, bias, normOf(parameters, layer), p, options);
    const y = linearRelu(x, weight, bias);
    return options ? dropout(y, p, options) : y;
  };
  return (x, sequential) => layersOf(config, sequential).reduce(apply, x);
}

/** A module's layers in evaluation: no dropout, and BatchNorm folded into the weights as they are when this runs. */
export function evaluatedLayers(parameters: Parameters, config: ModelConfig, sequential: Module): EvaluatedLayer[] {
  return layersOf(config, sequential).map((layer) => {
    const { isLinear } = layer;
    const [weight, bias] = [parameters.get(layer.weight), parameters.get(layer.bias)];
    if (!config.batchNorm || isLinear) return { weight, bias, isLinear };
    return { ...foldBatchNorm(weight, bias, normOf(parameters, layer)), isLinear };
  });
}

/** The output of evaluated layers. */
export function evaluate(layers: readonly EvaluatedLayer[], x: Tensor): Tensor {
  return layers.reduce((y, { weight, bias, isLinear }) => (isLinear ? linear : linearRelu)(y, weight, bias), x);
}

function normOf(parameters: Parameters, { norm }: LayerSpec): BatchNormTensors {
  return {
    gamma: parameters.get(norm.gamma),
    beta: parameters.get(norm.beta),
    runningMean: parameters.get(norm.runningMean),
    runningVar: parameters.get(norm.runningVar),
  };
}
