import { concat } from '../autograd/ops/concat.ts';
import { embedding } from '../autograd/ops/embedding.ts';
import { hadamard } from '../autograd/ops/hadamard.ts';
import { linear } from '../autograd/ops/linear.ts';
import { type OutputBce, outputBce, type Targets } from '../autograd/ops/output.ts';
import { split } from '../autograd/ops/split.ts';
import { Parameters } from '../autograd/parameters.ts';
import { byRanges, commonRanges, rowsOf } from '../autograd/shards.ts';
import type { Branch, Rows, Tables } from '../autograd/tables.ts';
import { noGrad, tapeOf, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ConfigError } from '../errors.ts';
import type { Gpu } from '../gpu/device.ts';
import { checkBindable } from '../gpu/limits.ts';
import { checkModelConfig, hasGmf, hasMlp, type ModelConfig } from './config.ts';
import { initialValues } from './initial.ts';
import {
  type DropoutSource,
  type EvaluatedLayer,
  evaluate,
  evaluatedLayers,
  type Layers,
  trainedLayers,
} from './layers.ts';
import { MODULES, parameterSpecs } from './layout.ts';

/** Logits f32[rows, 1] of the pairs (users[b], items[b]); both u32[rows]. */
export type Forward = (users: Tensor, items: Tensor) => Tensor;

/**
 * MF, GMF, MLP and NeuMF (He et al. 2017) and the two-tower model (Yi et al. 2019) from one set of parts; σ(logit) is the
 * probability of an interaction.
 *
 *   MF         φ = [p_u ⊙ q_i ; b_u ; b_i], and h is all ones: logit = p_u · q_i + b_u + b_i + b (Koren et al. 2009)
 *   GMF        φ = p_u ⊙ q_i
 *   MLP        φ = a_L(… a_1([p_u ; q_i]))        a(x) = dropout(relu(batchNorm(W x + b)))
 *   NeuMF      φ = [φ_GMF ; φ_MLP], each branch with embeddings of its own
 *   two-tower  φ = t(p_u) ⊙ s(q_i), and h is all ones: logit = t(p_u) · s(q_i) + b    t, s: layers a, the last one W x + b
 *   logit = h · φ + b
 */
export class Model {
  readonly config: ModelConfig;
  readonly parameters: Parameters;

  /** A model with its initial weights. Throws ConfigError for sizes that cannot work, with bytes for tables too large. */
  constructor(gpu: Gpu, config: ModelConfig, seed = 42, parameters = initialParameters(gpu, config, seed)) {
    this.config = config;
    this.parameters = parameters;
  }

  /**
   * This model for so many users whom it does not know. Their rows of its tables are zeros, and all that an optimizer of
   * the new model's parameters moves; everything else is this model's own.
   */
  withNewUsers(users: number): Model {
    const { parameters, tables } = this;
    const { gpu } = parameters;
    const own = [tables.gmf?.users, tables.mlp?.users];
    const config = { ...this.config, users };
    const specs = parameterSpecs(config).map((spec) => {
      const shared = parameters.get(spec.name);
      return own.includes(shared) ? spec : { ...spec, shared };
    });
    const of = new Parameters(gpu, specs);
    of.settle = (plan) => parameters.settle?.(plan);
    return new Model(gpu, config, 0, of);
  }

  /** The forward pass in training, with batch statistics and, where a source is given, dropout. */
  training(source?: DropoutSource): Forward {
    return this.#forward(this.#trained(source));
  }

  /**
   * The training loss of looked-up rows, as RowAdam gathers them: what `training` and bceWithLogits compute, with the
   * output layer, the loss and their gradients in one.
   */
  trainingLoss({ gmf, mlp }: Rows, targets: Targets, source?: DropoutSource): OutputBce {
    const y = mlp && this.#behind(mlp, this.#trained(source));
    return outputBce(gmf, y, this.#get('output_layer.weight'), this.#get('output_layer.bias'), targets);
  }

  /**
   * As `training`, but the logits of each user with the items of all samples, f32[rows, rows], as inBatchSoftmax takes them,
   * for which the output layer's bias is all one. Throws ConfigError for models other than two-tower.
   */
  batchTraining(source?: DropoutSource): Forward {
    return (users, items) => this.batchLogits({ gmf: null, mlp: sideBySide(this.#towerTables, users, items) }, source);
  }

  /** The same of looked-up rows, as RowAdam gathers them. */
  batchLogits({ mlp }: Rows, source?: DropoutSource): Tensor {
    const { gpu } = this.parameters;
    if (!mlp || this.config.model !== 'two-tower') throw new ConfigError(noTowers(this.config));
    const rows = mlp.shape[0]!;
    checkBindable(gpu, `the logits of ${rows} users and ${rows} items of a batch`, 4 * rows * rows);
    const [u, v] = this.#towers(mlp, this.#trained(source));
    return linear(u, v, zeros(gpu, [rows], { label: 'no bias' }));
  }

  /** The embedding tables of each branch. */
  get tables(): Tables {
    return {
      gmf: hasGmf(this.config) ? this.#tablesOf('gmf_user_emb', 'gmf_item_emb') : null,
      mlp: this.#besideTables,
    };
  }

  /** The tables whose rows stand side by side: the MLP's, the towers', or MF's biases. */
  get #besideTables(): Branch | null {
    if (hasMlp(this.config)) return this.#tablesOf('mlp_user_emb', 'mlp_item_emb');
    if (this.config.model === 'two-tower') return this.#towerTables;
    return this.config.model === 'mf' ? this.#tablesOf('user_bias', 'item_bias') : null;
  }

  get #towerTables(): Branch {
    if (this.config.model !== 'two-tower') throw new ConfigError(noTowers(this.config));
    return this.#tablesOf('user_emb', 'item_emb');
  }

  #tablesOf(users: string, items: string): Branch {
    return { users: this.#get(`${users}.weight`), items: this.#get(`${items}.weight`) };
  }

  #trained(source?: DropoutSource): Layers {
    return trainedLayers(this.parameters, this.config, source);
  }

  /**
   * The forward pass in evaluation: no dropout, and BatchNorm folded into the weights as they are when the dispatches
   * appended here run; towers then have computed their vectors. It leaves nothing for backward.
   */
  evaluation(): Forward {
    const { gpu } = this.parameters;
    const forward = this.config.model === 'two-tower' ? this.#ofVectors() : this.frozen();
    return (users, items) => noGrad(gpu, () => forward(users, items));
  }

  /** The same with gradients of what requires them, though not through BatchNorm, which is part of the weights. */
  frozen(): Forward {
    const { parameters } = this;
    parameters.settle?.(tapeOf(parameters.gpu).plan);
    return this.#evaluated();
  }

  /**
   * As `evaluation`, for pairs within a training step: where an optimizer puts work off, only their rows are brought up to
   * date, and towers compute only their vectors.
   */
  scoring(): Forward {
    const { parameters } = this;
    const forward = this.#evaluated();
    return (users, items) => {
      parameters.catchUp?.(users, items);
      return noGrad(parameters.gpu, () => forward(users, items));
    };
  }

  #evaluated(): Forward {
    const { parameters, config } = this;
    const layers = noGrad(parameters.gpu, () =>
      Object.fromEntries(MODULES.map((module) => [module, evaluatedLayers(parameters, config, module)])),
    );
    return this.#forward((x, module) => evaluate(layers[module]!, x));
  }

  #ofVectors(): Forward {
    const vectors = { users: this.vectors('users'), items: this.vectors('items') };
    return (users, items) => this.#output(product(vectors, users, items));
  }

  /** The MLP's hidden layers in evaluation, as `evaluation` has them, and all tables up to date; none without an MLP. */
  evaluatedLayers(): EvaluatedLayer[] {
    const { parameters } = this;
    parameters.settle?.(tapeOf(parameters.gpu).plan);
    return evaluatedLayers(parameters, this.config, 'mlp');
  }

  /**
   * What a tower makes in evaluation of all users or all items, f32[users or items, width], from the weights as they are when
   * the dispatches appended here run: logit = vector of the user · vector of the item + b. Split where a table is, or a layer
   * of so many does not fit a binding.
   * @param ids only of these, u32[ids]
   * Throws ConfigError for models other than two-tower.
   */
  vectors(of: keyof Branch, ids?: Tensor): Tensor {
    const { parameters, config } = this;
    const { gpu } = parameters;
    const table = this.#towerTables[of];
    parameters.settle?.(tapeOf(gpu).plan);
    return noGrad(gpu, () => {
      const layers = evaluatedLayers(parameters, config, of === 'users' ? 'user_tower' : 'item_tower');
      const rows = ids ? embedding({ table, ids }) : table;
      return byRanges([rows], Math.max(config.mlpDim, ...config.mlpLayers), (x) => evaluate(layers, x));
    });
  }

  #forward(layers: Layers): Forward {
    return (users, items) => {
      const tables = this.tables;
      const gmf = tables.gmf && product(tables.gmf, users, items);
      const mlp = tables.mlp && this.#behind(sideBySide(tables.mlp, users, items), layers);
      return this.#output(gmf && mlp ? concat(gmf, mlp) : (gmf ?? mlp)!);
    };
  }

  /** What comes of [p_u ; q_i] before the output layer: nothing becomes of MF's biases. */
  #behind(x: Tensor, layers: Layers): Tensor {
    return this.config.model === 'two-tower' ? hadamard(...this.#towers(x, layers)) : layers(x, 'mlp');
  }

  /** The towers' vectors of [p_u ; q_i]: f32[rows, width] each. */
  #towers(x: Tensor, layers: Layers): readonly [Tensor, Tensor] {
    const [p, q] = split(x, this.config.mlpDim);
    return [layers(p, 'user_tower'), layers(q, 'item_tower')];
  }

  #output(features: Tensor): Tensor {
    return linear(features, this.#get('output_layer.weight'), this.#get('output_layer.bias'));
  }

  #get(name: string): Tensor {
    return this.parameters.get(name);
  }
}

const noTowers = ({ model }: ModelConfig) => `${model} has no towers: two-tower would be right`;

/** p_u ⊙ q_i: f32[rows, dim]. */
function product(tables: Branch, users: Tensor, items: Tensor): Tensor {
  return hadamard(embedding({ table: tables.users, ids: users }), embedding({ table: tables.items, ids: items }));
}

/** [p_u ; q_i]: f32[rows, 2 · dim]. */
function sideBySide(tables: Branch, users: Tensor, items: Tensor): Tensor {
  return embedding({ table: tables.users, ids: users }, { table: tables.items, ids: items });
}

/** Throws ConfigError for sizes that cannot work. */
function initialParameters(gpu: Gpu, config: ModelConfig, seed: number): Parameters {
  checkModelConfig(config);
  const parameters = new Parameters(gpu, parameterSpecs(config));
  parameters.specs.forEach((spec, i) => {
    const tensor = parameters.get(spec.name);
    for (const range of commonRanges([tensor])) rowsOf(tensor, range).write(initialValues(spec, i, seed, range));
  });
  return parameters;
}
