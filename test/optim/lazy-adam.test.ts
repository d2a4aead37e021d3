import { beforeAll, describe, expect, it } from 'vitest';
import { Clock } from '../../src/autograd/clock.ts';
import { hadamard } from '../../src/autograd/ops/hadamard.ts';
import { record, tensor } from '../../src/autograd/tape.ts';
import { Model } from '../../src/models/model.ts';
import type { AdamOptions } from '../../src/optim/adam.ts';
import { LazyAdam } from '../../src/optim/lazy-adam.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose, sameBits } from '../numbers.ts';
import * as reference from '../reference/optimizers.ts';

const on = useGpu();

const CONFIG = {
  model: 'neumf',
  users: 30,
  items: 21,
  gmfDim: 8,
  mlpDim: 12,
  mlpLayers: [5],
  batchNorm: false,
  dropout: 0,
} as const;
/** Users and items with smaller ids are looked up now and then, these never. */
const NEVER = { users: 26, items: 17 };
const STEPS = 12;
/** The rate changes after so many steps. */
const SLOWER = 7;

interface Setting {
  readonly rows: number;
  readonly options: AdamOptions;
  readonly maxNorm: number | null;
}

/** A batch with the slopes of a linear loss in what it looks up: the gradients are these numbers. */
function drawBatch(draws: Draws, rows: number) {
  const ids = (n: number) => Uint32Array.from({ length: rows }, () => Math.floor(n * draws.uniform() ** 2));
  return {
    users: ids(NEVER.users),
    items: ids(NEVER.items),
    gmf: draws.normal(2 * rows * CONFIG.gmfDim),
    mlp: draws.normal(rows * 2 * CONFIG.mlpDim),
  };
}

/** The gradient of each row that a batch looks up, by table. */
function rowGradients({ users, items, gmf, mlp }: ReturnType<typeof drawBatch>) {
  const { gmfDim, mlpDim } = CONFIG;
  const rows = users.length;
  const sums = (ids: Uint32Array, dim: number, slopes: Float32Array, at: (position: number) => number) => {
    const byRow = new Map<number, Float64Array>();
    ids.forEach((id, position) => {
      const sum = byRow.get(id) ?? new Float64Array(dim);
      byRow.set(
        id,
        sum.map((value, d) => value + slopes[at(position) + d]!),
      );
    });
    return byRow;
  };
  return new Map([
    ['gmf_user_emb.weight', sums(users, gmfDim, gmf, (p) => p * gmfDim)],
    ['gmf_item_emb.weight', sums(items, gmfDim, gmf, (p) => (rows + p) * gmfDim)],
    ['mlp_user_emb.weight', sums(users, mlpDim, mlp, (p) => 2 * p * mlpDim)],
    ['mlp_item_emb.weight', sums(items, mlpDim, mlp, (p) => (2 * p + 1) * mlpDim)],
  ]);
}

/** Some steps on the device and in float64. */
async function train({ rows, options, maxNorm }: Setting) {
  const { gpu } = on;
  const draws = new Draws(rows);
  const model = new Model(gpu, CONFIG, 3);
  const { parameters } = model;
  const clock = new Clock(gpu);
  const optimizer = new LazyAdam(parameters, clock, model.tables, options);
  const batches = Array.from({ length: STEPS }, () => drawBatch(draws, rows));
  const [first] = batches as [ReturnType<typeof drawBatch>];
  const inputs = {
    users: tensor(gpu, first.users),
    items: tensor(gpu, first.items),
    gmf: tensor(gpu, first.gmf, { shape: [2 * rows, CONFIG.gmfDim] }),
    mlp: tensor(gpu, first.mlp, { shape: [rows, 2 * CONFIG.mlpDim] }),
  };
  const dense = parameters.entries().filter(([name]) => !name.includes('_emb.'));
  const slopes = new Map(dense.map(([name, { size }]) => [name, draws.normal(size)]));
  const initial = new Map<string, Float32Array<ArrayBuffer>>();
  for (const [name, weights] of parameters.entries())
    initial.set(name, (await weights.data()) as Float32Array<ArrayBuffer>);
  const states = new Map(
    [...initial].map(([name, values]) => {
      const zeros = () => new Float64Array(values.length);
      return [name, { weight: Float64Array.from(values), m: zeros(), v: zeros() }];
    }),
  );

  const plan = record(gpu, 'step', () => {
    parameters.zeroGrad();
    const { gmf, mlp } = optimizer.gather(inputs.users, inputs.items);
    hadamard(gmf!, inputs.gmf).sum().backward();
    hadamard(mlp!, inputs.mlp).sum().backward();
    for (const [name, { shape }] of dense) {
      hadamard(parameters.get(name), tensor(gpu, slopes.get(name)!, { shape }))
        .sum()
        .backward();
    }
    if (maxNorm !== null) optimizer.clipGradNorm(maxNorm);
    optimizer.step();
    clock.advance(tensor(gpu, [0]));
  });

  const { lr = 1e-3, betas = [0.9, 0.999], weightDecay = 0, weightDecayTables, weightDecayBiases } = options;
  const decayOf = (name: string) => {
    if (name.includes('_emb.')) return weightDecayTables ?? weightDecay;
    return name.endsWith('.bias') ? (weightDecayBiases ?? weightDecay) : weightDecay;
  };
  let magnitude = 0;
  batches.forEach((batch, step) => {
    if (step === SLOWER) optimizer.setLearningRate(lr / 5);
    for (const name of ['users', 'items', 'gmf', 'mlp'] as const) inputs[name].write(batch[name]);
    plan.run();

    const byTable = rowGradients(batch);
    const all = [...byTable.values()].flatMap((gradients) => [...gradients.values()]);
    const norm = Math.hypot(...[...all, ...slopes.values()].map((values) => reference.norm(values)));
    const factor = reference.clipFactor(norm, maxNorm);
    magnitude = Math.max(magnitude, factor);
    const scaled = (values: Float32Array | Float64Array) => Float64Array.from(values, (value) => factor * value);
    const rate = step < SLOWER ? lr : lr / 5;
    const numbers = { lr: rate, beta1: betas[0], beta2: betas[1], eps: options.eps ?? 1e-8 };
    for (const [name, state] of states) {
      const own = { ...numbers, weightDecay: decayOf(name) };
      const rowsOf = byTable.get(name);
      if (!rowsOf) reference.adam(state, scaled(slopes.get(name)!), step + 1, own);
      else {
        const gradients = new Map([...rowsOf].map(([row, gradient]) => [row, scaled(gradient)]));
        reference.lazyAdam(state, gradients, step + 1, own);
      }
    }
  });

  const arenas = { weight: parameters.weights, m: optimizer.state.m, v: optimizer.state.v };
  const trained = async (name: string, which: keyof typeof arenas) =>
    new Float32Array(await parameters.tensorIn(arenas[which], name).data());
  return { initial, states, trained, lr, betas, magnitude };
}

describe.each<[string, Setting]>([
  ['batches that look at few rows', { rows: 5, options: {}, maxNorm: null }],
  ['batches that look at most rows, several times', { rows: 60, options: { lr: 0.02 }, maxNorm: null }],
  ['clipping and weight decay', { rows: 60, options: { lr: 0.02, weightDecay: 0.3, betas: [0.5, 0.9] }, maxNorm: 2 }],
  [
    'clipping and a weight decay for each group',
    { rows: 6, options: { lr: 0.02, weightDecay: 0.1, weightDecayTables: 0.5, weightDecayBiases: 0 }, maxNorm: 0.5 },
  ],
])('lazy Adam, with %s,', (_, setting) => {
  let run: Awaited<ReturnType<typeof train>>;
  beforeAll(async () => {
    run = await train(setting);
  });

  it('follows float64 in weights and moments', async () => {
    const { states, trained, lr, betas, magnitude } = run;
    for (const [name, { weight, m, v }] of states) {
      // Updates of up to lr a step; gradients of normal numbers times the clip factor, which may cancel each other.
      const scale = {
        weight: weight.map((value) => Math.abs(value) + STEPS * lr),
        m: m.map((value) => Math.abs(value) + (1 - betas[0]) * magnitude),
        v: v.map((value) => value + (1 - betas[1]) * magnitude ** 2),
      };
      expectClose(await trained(name, 'weight'), weight, { scale: scale.weight });
      expectClose(await trained(name, 'm'), m, { scale: scale.m });
      expectClose(await trained(name, 'v'), v, { scale: scale.v, relative: 3e-6 });
    }
  });

  it('leaves rows that no batch looks at to the last bit, without moments', async () => {
    for (const branch of ['gmf', 'mlp'] as const) {
      const dim = CONFIG[`${branch}Dim`];
      for (const side of ['user', 'item'] as const) {
        const name = `${branch}_${side}_emb.weight`;
        const never = NEVER[`${side}s`] * dim;
        const [weight, m, v] = [
          await run.trained(name, 'weight'),
          await run.trained(name, 'm'),
          await run.trained(name, 'v'),
        ];
        expect(sameBits(weight.slice(never), run.initial.get(name)!.slice(never)), name).toBe(true);
        expect(weight[0]).not.toBe(run.initial.get(name)![0]);
        expect([...m.subarray(never), ...v.subarray(never)].every((value) => value === 0)).toBe(true);
      }
    }
  });
});
