import { type BatchNormTensors, foldBatchNorm } from '../autograd/ops/batch-norm.ts';
import { type DropoutOptions, dropout } from '../autograd/ops/dropout.ts';
import { hiddenLayers } from '../autograd/ops/hidden-layers.ts';
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
  const layerOf = (layer: LayerSpec) => ({
    weight: parameters.get(layer.weight),
    bias: parameters.get(layer.bias),
    dropout: source && { ...source, layer: layer.place },
  });
  const normed = (layer: LayerSpec) => ({ ...layerOf(layer), norm: normOf(parameters, layer), p });
  const rectified = (x: Tensor, layer: LayerSpec) => {
    const { weight, bias, dropout: options } = layerOf(layer);
    const y = linearRelu(x, weight, bias);
    return options ? dropout(y, p, options) : y;
  };
  return (x, sequential) => {
    const layers = layersOf(config, sequential);
    const hidden = layers.filter(({ isLinear }) => !isLinear);
    const y = config.batchNorm ? hiddenLayers(x, hidden.map(normed)) : hidden.reduce(rectified, x);
    const last = layers[hidden.length]; // W x + b alone, where there is one
    return last ? linear(y, layerOf(last).weight, layerOf(last).bias) : y;
  };
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
