import { beforeAll, describe, expect, it } from 'vitest';
import { Clock } from '../../src/autograd/clock.ts';
import { tensor } from '../../src/autograd/tape.ts';
import { ConfigError } from '../../src/errors.ts';
import { FullRanking } from '../../src/evaluate/full-ranking.ts';
import { Model } from '../../src/models/model.ts';
import { DeferredAdam } from '../../src/optim/deferred-adam.ts';
import { useGpu } from '../gpu-fixture.ts';
import { expectClose, sameBits } from '../numbers.ts';
import {
  expectSameBits,
  type Fused,
  type Outcome,
  PAPER,
  type Setting,
  STEPS,
  scored,
  seeming,
  train,
} from './both-steps.ts';
import { splitOf } from './fixture.ts';

const on = useGpu();

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
    plain = await train(on.gpu, 'plain', setting);
    fused = await train(on.gpu, 'fused', setting);
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
  const [plain, fused] = [await train(on.gpu, 'plain', setting), await train(on.gpu, 'fused', setting)];
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
    const [fused, plain] = [
      await train(on.gpu, 'fused', { rows, norm: false }),
      await train(on.gpu, 'plain', { rows }),
    ];
    expect(fused.clip).toEqual([]);
    expectSameBits(fused, plain);
  },
);

it('settling at any time, and reading a table in between, changes nothing', async () => {
  const plain = await train(on.gpu, 'plain', {});
  const settled = await train(on.gpu, 'fused', {}, (step, { model, optimizer }) => {
    if (step % 7 === 3) (optimizer as DeferredAdam).settle();
    if (step % 9 === 4) void model.parameters.get('mlp_item_emb.weight').data();
  });
  expectSameBits(settled, plain);
});

it.each([
  ['a few pairs', 9],
  ['more pairs than rows', 200],
])('scoring %s between steps sees their rows up to date, and changes nothing', async (_, pairs) => {
  const setting = { batchNorm: true };
  const [plain, fused] = [await scored(on.gpu, 'plain', setting, pairs), await scored(on.gpu, 'fused', setting, pairs)];
  expect(fused.scores).toEqual(plain.scores);
  expectSameBits(fused, plain);
  expectSameBits(fused, await train(on.gpu, 'fused', setting));
});

it('a new learning rate holds for the steps that are due after it, not for those put off', async () => {
  const slower = (step: number, { optimizer }: Fused) => {
    if (step === 20) optimizer.setLearningRate(1e-5);
  };
  expectSameBits(await train(on.gpu, 'fused', {}, slower), await train(on.gpu, 'plain', {}, slower));
});

describe('right after a step, before anything has read a table,', () => {
  /** What `look` makes of the model at the last step. */
  async function atTheEnd<T>(kind: 'plain' | 'fused', look: (model: Model) => Promise<T>): Promise<T> {
    let seen!: Promise<T>;
    await train(on.gpu, kind, {}, (step, { model }) => {
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
  await seeming(on.gpu, 'adapterKind', 'hardware', async () => {
    const [fused, plain] = [await scored(on.gpu, 'fused', { rows }, 9), await scored(on.gpu, 'plain', { rows }, 9)];
    expect(fused.scores).toEqual(plain.scores);
    expectSameBits(fused, plain);
  });
});

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
