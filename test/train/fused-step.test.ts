import { beforeAll, describe, expect, it } from 'vitest';
import type { Arena } from '../../src/autograd/arena.ts';
import { Clock } from '../../src/autograd/clock.ts';
import { record, tensor } from '../../src/autograd/tape.ts';
import { ConfigError } from '../../src/errors.ts';
import { FullRanking } from '../../src/evaluate/full-ranking.ts';
import type { ModelConfig } from '../../src/models/config.ts';
import { Model } from '../../src/models/model.ts';
import { Adam, type AdamOptions } from '../../src/optim/adam.ts';
import { DeferredAdam } from '../../src/optim/deferred-adam.ts';
import { fusedStep } from '../../src/train/fused-step.ts';
import { trainingStep } from '../../src/train/step.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose, sameBits } from '../numbers.ts';
import { splitOf } from './fixture.ts';

const on = useGpu();

interface Setting extends Partial<ModelConfig> {
  readonly adam?: AdamOptions;
  readonly clipNorm?: number;
  /** Whether the norm of the gradients is computed, as in training. */
  readonly norm?: boolean;
  readonly rows?: number;
  /** Whether samples count by weights of their own. */
  readonly weighted?: boolean;
  /** Whether the loss is the softmax within the batch. */
  readonly softmax?: boolean;
}

const PAPER: ModelConfig = {
  model: 'neumf',
  users: 90,
  items: 70,
  gmfDim: 8,
  mlpDim: 12,
  mlpLayers: [16, 8],
  batchNorm: false,
  dropout: 0,
};
const STEPS = 40;

/** A model trained for some steps: plainly, or fused; what it learnt, and what it reported. */
async function train(
  kind: 'plain' | 'fused',
  setting: Setting,
  during: (step: number, fused: Fused) => void = () => {},
) {
  const { gpu } = on;
  const { adam = {}, clipNorm = null, norm = true, rows = 11, weighted = false, softmax = false, ...sizes } = setting;
  const config = { ...PAPER, ...sizes };
  const model = new Model(gpu, config, 5);
  const clock = new Clock(gpu, STEPS);
  const draws = new Draws(3);
  const batch = {
    users: tensor(gpu, new Uint32Array(rows)),
    items: tensor(gpu, new Uint32Array(rows)),
    labels: tensor(gpu, new Float32Array(rows)),
    ...(weighted && { weights: tensor(gpu, new Float32Array(rows)) }),
  };
  const dropout = { seed: 9, step: clock.step };
  const logQ = tensor(gpu, draws.vector(config.items, -6, -2));
  const options = {
    model,
    clock,
    clipNorm,
    norm,
    dropout,
    ...(softmax && { softmax: { logQ, temperature: 0.5 } }),
  };
  const optimizer =
    kind === 'fused'
      ? new DeferredAdam(model.parameters, clock, model.tables, adam)
      : new Adam(model.parameters, clock, adam);
  let clip!: Awaited<ReturnType<typeof trainingStep>>['clip'];
  const plan = record(gpu, kind, () => {
    ({ clip } =
      optimizer instanceof DeferredAdam
        ? fusedStep(batch, { ...options, optimizer })
        : trainingStep(batch, { ...options, optimizer }));
  });
  for (let step = 0; step < STEPS; step++) {
    // Some rows in every batch and several times in it, some now and then, the last ones never.
    const skewed = (n: number) => Uint32Array.from({ length: rows }, () => Math.floor((n - 3) * draws.uniform() ** 3));
    batch.users.write(skewed(config.users));
    batch.items.write(skewed(config.items));
    batch.labels.write(Float32Array.from({ length: rows }, () => Number(draws.uniform() < 0.5)));
    batch.weights?.write(draws.vector(rows, 0.1, 4));
    plan.run();
    during(step, { model, optimizer });
  }
  const weights = new Map<string, Float32Array<ArrayBuffer>>();
  for (const [name, parameter] of model.parameters.entries())
    weights.set(name, (await parameter.data()) as Float32Array<ArrayBuffer>);
  const moments = async (arena: Arena) => {
    const pieces = model.parameters.stretches().map((stretch) => gpu.read(arena.view(stretch)));
    return new Float32Array(await new Blob(await Promise.all(pieces)).arrayBuffer());
  };
  return {
    model,
    plan,
    weights,
    losses: [...(await clock.losses.data())],
    clip: clip ? [...(await clip.data())] : [],
    m: await moments(optimizer.state.m),
    v: await moments(optimizer.state.v),
  };
}

interface Fused {
  readonly model: Model;
  readonly optimizer: Adam;
}

type Outcome = Awaited<ReturnType<typeof train>>;

function expectSameBits(actual: Outcome, expected: Outcome): void {
  for (const [name, values] of expected.weights) expect(sameBits(actual.weights.get(name)!, values), name).toBe(true);
  expect(sameBits(actual.m, expected.m)).toBe(true);
  expect(sameBits(actual.v, expected.v)).toBe(true);
}

describe.each<[string, Setting]>([
  ['a paper-like NeuMF', {}],
  ['with weight decay', { adam: { weightDecay: 0.01, lr: 0.02 } }],
  [
    'with a weight decay for each group',
    { adam: { lr: 0.02, weightDecay: 0.1, weightDecayTables: 0.01, weightDecayBiases: 0 }, batchNorm: true },
  ],
  ['with other betas, past the end of the bias correction', { adam: { betas: [0.3, 0.5] } }],
  ['MF', { model: 'mf' }],
  ['GMF alone', { model: 'gmf' }],
  ['an MLP alone', { model: 'mlp' }],
  ['two towers', { model: 'two-tower' }],
  ['two towers without layers', { model: 'two-tower', mlpLayers: [] }],
  ['two towers by softmax', { model: 'two-tower', softmax: true }],
  ['two towers by softmax, without layers', { model: 'two-tower', softmax: true, mlpLayers: [], rows: 37 }],
  [
    'two towers by softmax, with BatchNorm and dropout',
    { model: 'two-tower', softmax: true, batchNorm: true, dropout: 0.3 },
  ],
  ['two towers with BatchNorm and dropout', { model: 'two-tower', batchNorm: true, dropout: 0.3 }],
  ['without hidden layers', { mlpLayers: [] }],
  ['with BatchNorm and dropout', { batchNorm: true, dropout: 0.3 }],
  ['with a batch that looks at most rows', { rows: 190 }],
  ['with samples that do not count alike', { weighted: true, batchNorm: true }],
  ['with a batch of odd size and layers of odd widths', { rows: 37, mlpLayers: [9, 5] }],
])('the fused step, %s', (_, setting) => {
  let plain: Outcome;
  let fused: Outcome;
  beforeAll(async () => {
    plain = await train('plain', setting);
    fused = await train('fused', setting);
  });

  it('leaves the bits of the plain one in weights and moments', () => {
    expectSameBits(fused, plain);
  });

  it('reports the same loss and gradient norm', () => {
    expectClose(fused.losses, plain.losses);
    expectClose(fused.clip, plain.clip);
  });

  it('takes far fewer dispatches', () => {
    // A softmax is as many in both.
    const fewer = setting.softmax ? 5 : 8;
    expect(fused.plan.dispatches.length).toBeLessThanOrEqual(plain.plan.dispatches.length - fewer);
  });
});

it('clips by the norm of all gradients, to rounding as the plain step does', async () => {
  const setting = { clipNorm: 0.01, batchNorm: true, adam: { weightDecay: 1e-3 } };
  const [plain, fused] = [await train('plain', setting), await train('fused', setting)];
  expect(plain.clip[1]).toBeLessThan(0.5);
  expectClose(fused.clip, plain.clip);
  expectClose(fused.losses, plain.losses, { relative: 1e-4 });
  for (const [name, values] of plain.weights) {
    // A weight moves by about lr a step, however small its gradient, of which rounding may be much.
    const scale = Float64Array.from(values, (value) => Math.abs(value) + STEPS * 1e-3);
    expectClose(fused.weights.get(name)!, values, { scale, relative: 1e-3 });
  }
});

it.each([11, 190])(
  'without a norm, rows’ gradients are summed as they are used, to the same bits: %i samples',
  async (rows) => {
    const [fused, plain] = [await train('fused', { rows, norm: false }), await train('plain', { rows })];
    expect(fused.clip).toEqual([]);
    expectSameBits(fused, plain);
  },
);

it('settling at any time, and reading a table in between, changes nothing', async () => {
  const plain = await train('plain', {});
  const settled = await train('fused', {}, (step, { model, optimizer }) => {
    if (step % 7 === 3) (optimizer as DeferredAdam).settle();
    if (step % 9 === 4) void model.parameters.get('mlp_item_emb.weight').data();
  });
  expectSameBits(settled, plain);
});

/** What training comes to, and what the model has scored after every third step. */
async function scored(kind: 'plain' | 'fused', setting: Setting, pairs: number) {
  const draws = new Draws(12);
  const scores: Promise<ArrayLike<number>>[] = [];
  const outcome = await train(kind, setting, (step, { model }) => {
    if (step % 3 !== 1) return;
    const [users, items] = [tensor(on.gpu, draws.ids(pairs, 90)), tensor(on.gpu, draws.ids(pairs, 70))];
    scores.push(model.scoring()(users, items).data());
  });
  return { ...outcome, scores: await Promise.all(scores) };
}

it.each([
  ['a few pairs', 9],
  ['more pairs than rows', 200],
])('scoring %s between steps sees their rows up to date, and changes nothing', async (_, pairs) => {
  const setting = { batchNorm: true };
  const [plain, fused] = [await scored('plain', setting, pairs), await scored('fused', setting, pairs)];
  expect(fused.scores).toEqual(plain.scores);
  expectSameBits(fused, plain);
  expectSameBits(fused, await train('fused', setting));
});

it('a new learning rate holds for the steps that are due after it, not for those put off', async () => {
  const slower = (step: number, { optimizer }: Fused) => {
    if (step === 20) optimizer.setLearningRate(1e-5);
  };
  expectSameBits(await train('fused', {}, slower), await train('plain', {}, slower));
});

describe('right after a step, before anything has read a table,', () => {
  /** What `look` makes of the model at the last step. */
  async function atTheEnd<T>(kind: 'plain' | 'fused', look: (model: Model) => Promise<T>): Promise<T> {
    let seen!: Promise<T>;
    await train(kind, {}, (step, { model }) => {
      if (step === STEPS - 1) seen = look(model);
    });
    return seen;
  }

  it('evaluation sees every table up to date', async () => {
    const users = tensor(on.gpu, Uint32Array.from(Array(90).keys()));
    const items = tensor(
      on.gpu,
      Uint32Array.from(Array(90).keys(), (u) => u % 70),
    );
    const look = async (model: Model) => (await model.evaluation()(users, items).data()) as Float32Array<ArrayBuffer>;
    expect(sameBits(await atTheEnd('fused', look), await atTheEnd('plain', look))).toBe(true);
  });

  it('so does full ranking', async () => {
    const rows = Array.from({ length: 90 * 3 }, (_, i) => [Math.floor(i / 3), (7 * i) % 70] as const);
    const look = (model: Model) =>
      new FullRanking(on.gpu, model, splitOf(rows, 90, 70)).topK(Uint32Array.of(3, 87, 88), 20);
    expect(await atTheEnd('fused', look)).toEqual(await atTheEnd('plain', look));
  });

  it('and whoever reads a table', async () => {
    const look = async (model: Model) =>
      (await model.parameters.get('mlp_user_emb.weight').data()) as Float32Array<ArrayBuffer>;
    expect(sameBits(await atTheEnd('fused', look), await atTheEnd('plain', look))).toBe(true);
  });
});

it.each([11, 190])('what a GPU would choose gives the same bits fused and plain: %i samples', async (rows) => {
  const { gpu } = on;
  const { adapterKind } = gpu;
  Object.defineProperty(gpu, 'adapterKind', { value: 'hardware', configurable: true });
  try {
    const [fused, plain] = [await scored('fused', { rows }, 9), await scored('plain', { rows }, 9)];
    expect(fused.scores).toEqual(plain.scores);
    expectSameBits(fused, plain);
  } finally {
    Object.defineProperty(gpu, 'adapterKind', { value: adapterKind, configurable: true });
  }
});

describe.each([
  // Room for the largest table, but not for all of them.
  ['cannot bind together are updated one by one', 8192, 4],
  // Room for GMF's tables, and for 64 rows of the MLP's.
  ['cannot bind one by one are split, and updated shard by shard', 3200, 6],
])('tables that the adapter %s:', (_, bindingLimit, gathers) => {
  it.each<[number, Setting]>([
    [11, {}],
    [190, {}],
    [190, { clipNorm: 0.05, adam: { weightDecay: 0.1 } }],
  ])('%i samples, %o', async (rows, setting) => {
    const { plain, together } = await unsplit({ rows, ...setting });
    const [fused, dense] = await withBindingLimit(bindingLimit, async () => {
      return [await scored('fused', { rows, ...setting }, 9), await scored('plain', { rows, ...setting }, 9)] as const;
    });
    expect(fused.plan.dispatches.filter(({ label }) => label.startsWith('adam_gather'))).toHaveLength(gathers);
    for (const split of setting.clipNorm ? [dense] : [fused, dense]) {
      expect(split.scores).toEqual(plain.scores);
      expectSameBits(split, plain);
    }
    // A clipping norm is rounded otherwise fused and plain.
    expect(fused.scores).toEqual(together.scores);
    expectSameBits(fused, together);
  });
});

const unsplitRuns = new Map<string, Promise<Record<'plain' | 'together', Awaited<ReturnType<typeof scored>>>>>();

/** Runs in which one binding holds all tables, once for each setting. */
function unsplit(setting: Setting) {
  const key = JSON.stringify(setting);
  const run = async () => ({ plain: await scored('plain', setting, 9), together: await scored('fused', setting, 9) });
  if (!unsplitRuns.has(key)) unsplitRuns.set(key, run());
  return unsplitRuns.get(key)!;
}

async function withBindingLimit<T>(value: number, body: () => Promise<T>): Promise<T> {
  const { gpu } = on;
  const { bindingLimit } = gpu;
  Object.defineProperty(gpu, 'bindingLimit', { value, configurable: true });
  try {
    return await body();
  } finally {
    Object.defineProperty(gpu, 'bindingLimit', { value: bindingLimit, configurable: true });
  }
}

describe('mistakes', () => {
  it.each([6, 7])('embeddings of %i dimensions are refused', (gmfDim) => {
    const model = new Model(on.gpu, { ...PAPER, gmfDim });
    const make = () => new DeferredAdam(model.parameters, new Clock(on.gpu), model.tables);
    expect(make).toThrow(
      new ConfigError(`embeddings of ${gmfDim} and 12 dimensions, updated row by row: multiples of 4 would be right`),
    );
  });

  it('a step without a look-up is refused', () => {
    const model = new Model(on.gpu, PAPER);
    const optimizer = new DeferredAdam(model.parameters, new Clock(on.gpu), model.tables);
    expect(() => optimizer.step()).toThrow(/without gather/);
  });
});
