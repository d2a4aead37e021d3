/** Traces in the format of test/golden, from random weights and batches through the float64 trainer. */
import { Draws } from '../numbers.ts';
import { type CpuConfig, CpuTrainer } from './cpu-trainer.ts';

export interface TraceOptions extends Omit<CpuConfig, 'adam'> {
  readonly adam?: Partial<CpuConfig['adam']>;
  /** Samples of each step. */
  readonly batches: readonly number[];
  readonly seed: number;
}

const ADAM = { lr: 0.01, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 } as const;

/** JSON text, as bench/replay reads it: every step with logits, loss, gradient norm and gradients. */
export function cpuTrace({ batches, seed, ...options }: TraceOptions): string {
  const config: CpuConfig = { ...options, adam: { ...ADAM, ...options.adam } };
  const draws = new Draws(seed);
  const initial = initialWeights(config, draws);
  const trainer = new CpuTrainer(config, initial);
  const steps = batches.map((rows) => {
    const users = [...draws.ids(rows, config.users)];
    const items = [...draws.ids(rows, config.items)];
    const labels = users.map((user, b) => Number((user + items[b]! + draws.uniform()) % 3 < 1));
    const { gradients, ...results } = trainer.step({ users, items, labels });
    return { users, items, labels, ...results, gradients: tensors(gradients) };
  });
  const { users, items } = steps.at(-1)!;
  return JSON.stringify({
    source: 'test/models/cpu-trainer.ts',
    ...config,
    initial: tensors(initial),
    steps,
    final: tensors(trainer.weights),
    finalEvalLogits: trainer.evaluate(users, items),
  });
}

const tensors = (values: ReadonlyMap<string, readonly number[]>) =>
  Object.fromEntries([...values].map(([name, data]) => [name, { data }]));

/** As PyTorch has them without an initialisation of one's own: embeddings N(0, 1), layers uniform in ± 1/√inputs. */
function initialWeights(config: CpuConfig, draws: Draws): Map<string, number[]> {
  const { model, users, items, gmfDim, mlpDim, batchNorm } = config;
  const weights = new Map<string, number[]>();
  for (const [branch, dim] of [
    ['gmf', gmfDim],
    ['mlp', mlpDim],
  ] as const) {
    if (model !== 'neumf' && model !== branch) continue;
    weights.set(`${branch}_user_emb.weight`, [...draws.normal(users * dim)]);
    weights.set(`${branch}_item_emb.weight`, [...draws.normal(items * dim)]);
  }
  const linear = (name: string, inputs: number, outputs: number) => {
    const bound = 1 / Math.sqrt(inputs);
    weights.set(`${name}.weight`, [...draws.vector(inputs * outputs, -bound, bound)]);
    weights.set(`${name}.bias`, [...draws.vector(outputs, -bound, bound)]);
  };
  let width = model === 'gmf' ? 0 : 2 * mlpDim;
  (model === 'gmf' ? [] : config.mlpLayers).forEach((units, i) => {
    const at = i * (batchNorm ? 4 : 3);
    linear(`mlp.${at}`, width, units);
    if (batchNorm) {
      weights.set(`mlp.${at + 1}.weight`, [...draws.vector(units, 0.5, 1.5)]);
      weights.set(`mlp.${at + 1}.bias`, [...draws.vector(units, -0.5, 0.5)]);
    }
    width = units;
  });
  linear('output_layer', (model === 'mlp' ? 0 : gmfDim) + width, 1);
  return weights;
}
