/** NeuMF, GMF, MLP and MF with Adam in float64 and plain loops: what the engine is held against where PyTorch left no trace. */
import {
  type Gradients,
  type Layer,
  layerBackward,
  layerForward,
  linear,
  linearBackward,
  type Rows,
} from './cpu-layers.ts';

export interface CpuConfig {
  readonly model: 'mf' | 'gmf' | 'mlp' | 'neumf';
  readonly users: number;
  readonly items: number;
  readonly gmfDim: number;
  readonly mlpDim: number;
  readonly mlpLayers: readonly number[];
  readonly batchNorm: boolean;
  readonly adam: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weightDecay: number;
  };
  readonly clipNorm: number | null;
}

export interface CpuBatch {
  readonly users: readonly number[];
  readonly items: readonly number[];
  readonly labels: readonly number[];
}

export class CpuTrainer {
  readonly weights: ReadonlyMap<string, number[]>;
  readonly #config: CpuConfig;
  readonly #layers: readonly Layer[];
  readonly #moments = new Map<string, { m: number[]; v: number[] }>();
  #steps = 0;

  /** @param initial by PyTorch's names; running averages that are left out begin at 0 and 1 */
  constructor(config: CpuConfig, initial: ReadonlyMap<string, readonly number[]>) {
    this.#config = config;
    const weights = new Map([...initial].map(([name, values]) => [name, [...values]]));
    // MF is GMF with h = 1, whose output layer takes in both biases as they are.
    if (config.model === 'mf') weights.set('output_layer.weight', new Array(config.gmfDim + 2).fill(1));
    const layers = config.model === 'gmf' || config.model === 'mf' ? [] : config.mlpLayers;
    this.#layers = layers.map((units, i): Layer => {
      const at = i * (config.batchNorm ? 4 : 3);
      if (config.batchNorm) {
        const begin = (name: string, value: number) => {
          weights.set(name, weights.get(name) ?? new Array(units).fill(value));
        };
        begin(`mlp.${at + 1}.running_mean`, 0);
        begin(`mlp.${at + 1}.running_var`, 1);
      }
      return { linear: `mlp.${at}`, norm: config.batchNorm ? `mlp.${at + 1}` : null };
    });
    this.weights = weights;
  }

  /** One step of training: the logits before it, the mean loss, the gradients, and their norm before clipping. */
  step({ users, items, labels }: CpuBatch) {
    const { weights } = this;
    const rows = users.length;
    const pass = this.#forward(users, items, true);
    const losses = pass.logits.map((x, b) => Math.max(x, 0) - x * labels[b]! + Math.log1p(Math.exp(-Math.abs(x))));
    const loss = losses.reduce((sum, value) => sum + value) / rows;

    const gradients: Gradients = new Map();
    for (const [name, values] of weights) {
      if (!name.includes('running_')) gradients.set(name, new Array(values.length).fill(0));
    }
    const dlogits = pass.logits.map((x, b) => [(1 / (1 + Math.exp(-x)) - labels[b]!) / rows]);
    const dfeatures = linearBackward('output_layer', weights, pass.features, dlogits, gradients);
    const gmfWidth = this.#config.model === 'mlp' ? 0 : this.#config.gmfDim;
    this.#gmfBackward(users, items, dfeatures, gradients);
    let dx = dfeatures.map((row) => row.slice(gmfWidth));
    for (const cache of pass.caches.toReversed()) dx = layerBackward(cache, weights, dx, gradients);
    this.#besideBackward(users, items, dx, gradients);
    if (this.#config.model === 'mf') gradients.delete('output_layer.weight');

    const gradNorm = Math.sqrt([...gradients.values()].flat().reduce((sum, g) => sum + g * g, 0));
    this.#adam(gradients, gradNorm);
    return { logits: pass.logits, loss, gradNorm, gradients };
  }

  /** Logits as in evaluation, BatchNorm by its running averages. */
  evaluate(users: readonly number[], items: readonly number[]): number[] {
    return this.#forward(users, items, false).logits;
  }

  #row(table: string, id: number, dim: number): number[] {
    return this.weights.get(table)!.slice(id * dim, (id + 1) * dim);
  }

  /** The tables whose rows stand side by side: the MLP's, or MF's biases. */
  get #beside(): { user: string; item: string; dim: number } | null {
    const { model, mlpDim } = this.#config;
    if (model === 'gmf') return null;
    if (model === 'mf') return { user: 'user_bias.weight', item: 'item_bias.weight', dim: 1 };
    return { user: 'mlp_user_emb.weight', item: 'mlp_item_emb.weight', dim: mlpDim };
  }

  #forward(users: readonly number[], items: readonly number[], training: boolean) {
    const { model, gmfDim } = this.#config;
    const beside = this.#beside;
    const gmf = users.map((user, b) => {
      if (model === 'mlp') return [];
      const q = this.#row('gmf_item_emb.weight', items[b]!, gmfDim);
      return this.#row('gmf_user_emb.weight', user, gmfDim).map((p, k) => p * q[k]!);
    });
    let x: Rows = users.map((user, b) => {
      if (!beside) return [];
      const { dim } = beside;
      return [this.#row(beside.user, user, dim), this.#row(beside.item, items[b]!, dim)].flat();
    });
    const caches = this.#layers.map((layer) => {
      const cache = layerForward(layer, this.weights, x, training);
      x = cache.y;
      return cache;
    });
    const features = gmf.map((row, b) => [...row, ...x[b]!]);
    const logits = linear('output_layer', this.weights, features).map(([logit]) => logit!);
    return { logits, features, caches };
  }

  #gmfBackward(users: readonly number[], items: readonly number[], dfeatures: Rows, gradients: Gradients): void {
    const { model, gmfDim } = this.#config;
    if (model === 'mlp') return;
    const [dp, dq] = [gradients.get('gmf_user_emb.weight')!, gradients.get('gmf_item_emb.weight')!];
    users.forEach((user, b) => {
      const p = this.#row('gmf_user_emb.weight', user, gmfDim);
      const q = this.#row('gmf_item_emb.weight', items[b]!, gmfDim);
      for (let k = 0; k < gmfDim; k++) {
        dp[user * gmfDim + k]! += dfeatures[b]![k]! * q[k]!;
        dq[items[b]! * gmfDim + k]! += dfeatures[b]![k]! * p[k]!;
      }
    });
  }

  #besideBackward(users: readonly number[], items: readonly number[], dx: Rows, gradients: Gradients): void {
    const beside = this.#beside;
    if (!beside) return;
    const { dim } = beside;
    const [dp, dq] = [gradients.get(beside.user)!, gradients.get(beside.item)!];
    users.forEach((user, b) => {
      for (let k = 0; k < dim; k++) {
        dp[user * dim + k]! += dx[b]![k]!;
        dq[items[b]! * dim + k]! += dx[b]![dim + k]!;
      }
    });
  }

  /** torch.nn.utils.clip_grad_norm_, then torch.optim.Adam. */
  #adam(gradients: Gradients, gradNorm: number): void {
    const { adam, clipNorm } = this.#config;
    const { lr, eps, weightDecay } = adam;
    const [beta1, beta2] = adam.betas;
    const clip = clipNorm === null ? 1 : Math.min(1, clipNorm / (gradNorm + 1e-6));
    const t = ++this.#steps;
    for (const [name, gradient] of gradients) {
      const w = this.weights.get(name)!;
      const zeros = () => new Array<number>(w.length).fill(0);
      const { m, v } = this.#moments.get(name) ?? { m: zeros(), v: zeros() };
      this.#moments.set(name, { m, v });
      gradient.forEach((value, i) => {
        const g = clip * value + weightDecay * w[i]!;
        m[i] = beta1 * m[i]! + (1 - beta1) * g;
        v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
        const [mHat, vHat] = [m[i]! / (1 - beta1 ** t), v[i]! / (1 - beta2 ** t)];
        w[i]! -= (lr * mHat) / (Math.sqrt(vHat) + eps);
      });
    }
  }
}
