import { type BatchNormTensors, foldBatchNorm, linearBatchNormRelu } from '../autograd/ops/batch-norm.ts';
import { concat } from '../autograd/ops/concat.ts';
import { type DropoutOptions, dropout } from '../autograd/ops/dropout.ts';
import { embedding } from '../autograd/ops/embedding.ts';
import { hadamard } from '../autograd/ops/hadamard.ts';
import { linear, linearRelu } from '../autograd/ops/linear.ts';
import { type OutputBce, outputBce, type Targets } from '../autograd/ops/output.ts';
import { Parameters } from '../autograd/parameters.ts';
import type { Branch, Rows, Tables } from '../autograd/tables.ts';
import { noGrad, tapeOf } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Gpu } from '../gpu/device.ts';
import { checkModelConfig, hasMlp, hiddenUnits, type ModelConfig } from './config.ts';
import { initialValues } from './initial.ts';
import { layerNames, parameterSpecs } from './layout.ts';

/** Logits f32[rows, 1] of the pairs (users[b], items[b]); both u32[rows]. */
export type Forward = (users: Tensor, items: Tensor) => Tensor;

/** Seed and clock of the dropout masks. */
export type DropoutSource = Omit<DropoutOptions, 'layer'>;

type HiddenLayer = (x: Tensor, layer: number) => Tensor;

/**
 * MF, GMF, MLP and NeuMF (He et al. 2017) from one set of parts; σ(logit) is the probability of an interaction.
 *
 *   MF     φ = [p_u ⊙ q_i ; b_u ; b_i], and h is all ones: logit = p_u · q_i + b_u + b_i + b (Koren et al. 2009)
 *   GMF    φ = p_u ⊙ q_i
 *   MLP    φ = a_L(… a_1([p_u ; q_i]))        a(x) = dropout(relu(batchNorm(W x + b)))
 *   NeuMF  φ = [φ_GMF ; φ_MLP], each branch with embeddings of its own
 *   logit = h · φ + b
 */
export class Model {
  readonly config: ModelConfig;
  readonly parameters: Parameters;

  /** A model with its initial weights. Throws ConfigError for sizes that cannot work, with bytes for tables too large. */
  constructor(gpu: Gpu, config: ModelConfig, seed = 42) {
    checkModelConfig(config);
    this.config = config;
    this.parameters = new Parameters(gpu, parameterSpecs(config));
    this.parameters.specs.forEach((spec, i) => {
      this.parameters.get(spec.name).write(initialValues(spec, i, seed));
    });
  }

  /** The forward pass in training, with batch statistics and, where a source is given, dropout. */
  training(source?: DropoutSource): Forward {
    return this.#forward(this.#hidden(source));
  }

  /**
   * The training loss of looked-up rows, as RowAdam gathers them: what `training` and bceWithLogits compute, with the
   * output layer, the loss and their gradients in one.
   */
  trainingLoss({ gmf, mlp }: Rows, targets: Targets, source?: DropoutSource): OutputBce {
    const y = mlp && this.#tower(mlp, this.#hidden(source));
    return outputBce(gmf, y, this.#get('output_layer.weight'), this.#get('output_layer.bias'), targets);
  }

  /** The embedding tables of each branch. */
  get tables(): Tables {
    const { model } = this.config;
    const branch = (name: string) => ({
      users: this.#get(`${name}_user_emb.weight`),
      items: this.#get(`${name}_item_emb.weight`),
    });
    const biases = () => ({ users: this.#get('user_bias.weight'), items: this.#get('item_bias.weight') });
    return {
      gmf: model === 'mlp' ? null : branch('gmf'),
      mlp: model === 'mf' ? biases() : hasMlp(this.config) ? branch('mlp') : null,
    };
  }

  #hidden(source?: DropoutSource): HiddenLayer {
    const { config } = this;
    const p = source ? config.dropout : 0;
    return (x, layer) => {
      const names = layerNames(config, layer);
      const [weight, bias] = [this.#get(names.weight), this.#get(names.bias)];
      const options = source && { ...source, layer };
      if (config.batchNorm) return linearBatchNormRelu(x, weight, bias, this.#norm(layer), p, options);
      const y = linearRelu(x, weight, bias);
      return options ? dropout(y, p, options) : y;
    };
  }

  /**
   * The forward pass in evaluation: no dropout, and BatchNorm folded into the weights as they are when the dispatches
   * appended here run. It leaves nothing for backward.
   */
  evaluation(): Forward {
    const { parameters } = this;
    const layers = this.evaluatedLayers();
    const forward = this.#forward((x, layer) => linearRelu(x, layers[layer]!.weight, layers[layer]!.bias));
    return (users, items) => noGrad(parameters.gpu, () => forward(users, items));
  }

  /**
   * The hidden layers in evaluation, each relu(weight · x + bias), with BatchNorm folded as `evaluation` has it, and all
   * tables up to date.
   */
  evaluatedLayers(): { weight: Tensor; bias: Tensor }[] {
    const { config } = this;
    this.parameters.settle?.(tapeOf(this.parameters.gpu).plan);
    return hiddenUnits(config).map((_, layer) => {
      const names = layerNames(config, layer);
      const [weight, bias] = [this.#get(names.weight), this.#get(names.bias)];
      return config.batchNorm ? foldBatchNorm(weight, bias, this.#norm(layer)) : { weight, bias };
    });
  }

  #forward(hidden: HiddenLayer): Forward {
    return (users, items) => {
      const tables = this.tables;
      const gmf = tables.gmf && product(tables.gmf, users, items);
      const mlp = tables.mlp && this.#tower(sideBySide(tables.mlp, users, items), hidden);
      const features = gmf && mlp ? concat(gmf, mlp) : (gmf ?? mlp)!;
      return linear(features, this.#get('output_layer.weight'), this.#get('output_layer.bias'));
    };
  }

  #tower(x: Tensor, hidden: HiddenLayer): Tensor {
    return hiddenUnits(this.config).reduce((y, _, layer) => hidden(y, layer), x);
  }

  #norm(layer: number): BatchNormTensors {
    const { gamma, beta, runningMean, runningVar } = layerNames(this.config, layer).norm;
    return {
      gamma: this.#get(gamma),
      beta: this.#get(beta),
      runningMean: this.#get(runningMean),
      runningVar: this.#get(runningVar),
    };
  }

  #get(name: string): Tensor {
    return this.parameters.get(name);
  }
}

/** p_u ⊙ q_i: f32[rows, dim]. */
function product(tables: Branch, users: Tensor, items: Tensor): Tensor {
  return hadamard(embedding({ table: tables.users, ids: users }), embedding({ table: tables.items, ids: items }));
}

/** [p_u ; q_i]: f32[rows, 2 · dim]. */
function sideBySide(tables: Branch, users: Tensor, items: Tensor): Tensor {
  return embedding({ table: tables.users, ids: users }, { table: tables.items, ids: items });
}
