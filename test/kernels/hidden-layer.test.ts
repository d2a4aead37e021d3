/** Layers in one dispatch, against the kernels that compute them one behind the other, which have tests of their own. */
import { expect, it } from 'vitest';
import {
  batchNormApply,
  batchNormBackward,
  batchNormFinish,
  statisticsLength,
  sumsLength,
} from '../../src/kernels/batch-norm.ts';
import * as kernels from '../../src/kernels/hidden-layer.ts';
import { runsOnSubgroups, type View } from '../../src/kernels/launch.ts';
import { linear, linearInputGrad, linearWeightGrad } from '../../src/kernels/linear.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';
import { relu } from '../reference/elementwise.ts';

const on = useGpu();

/** Threads of the finishing kernels on a CPU adapter. */
const WG = 8;
const NO_SUBGROUPS = 'this adapter has no subgroups of eight lanes';

type Size = readonly [rows: number, inputs: number, outputs: number];
/** Rows: less than a block of statistics, ragged tiles, chunks of 16 blocks. */
const SIZES: readonly Size[] = [
  [2, 4, 4],
  [8, 8, 32],
  [9, 12, 36],
  [17, 128, 64],
  [33, 64, 100],
  [128, 16, 20],
  [137, 8, 128],
  [300, 20, 8],
  [1024, 4, 16],
];

interface Output {
  readonly view: View;
  data(): Promise<Float32Array>;
}
type Outputs<K extends string> = Record<K, Output>;

const viewsOf = <K extends string>(outputs: Outputs<K>) =>
  Object.fromEntries(Object.entries<Output>(outputs).map(([name, { view }]) => [name, view])) as Record<K, View>;

async function bits(trial: Trial, outputs: Outputs<string>): Promise<[string, number[]][]> {
  trial.plan.run();
  return Promise.all(Object.entries(outputs).map(async ([name, output]) => [name, [...(await output.data())]]));
}

/** What a layer's forward pass leaves. */
function forward([rows, inputs, outputs]: Size, p: number, inOne: boolean) {
  const size = { rows, inputs, outputs };
  const draws = new Draws(rows * inputs * outputs);
  const trial = new Trial(on.gpu);
  const { plan } = trial;
  const x = trial.input(draws.normal(rows * inputs, 0.5, 2));
  const weights = { weight: trial.input(draws.normal(outputs * inputs)), bias: trial.input(draws.normal(outputs)) };
  const norm = { gamma: trial.input(draws.vector(outputs, 0.5, 2)), beta: trial.input(draws.normal(outputs)) };
  const running = {
    runningMean: trial.inPlace('running mean', draws.normal(outputs)),
    runningVar: trial.inPlace('running variance', draws.vector(outputs, 0.5, 2)),
  };
  const made = {
    moments: trial.f32('moments', 2 * outputs),
    z: trial.f32('z', rows * outputs),
    y: trial.f32('y', rows * outputs),
  };
  const { moments, z, y } = viewsOf(made);
  const averages = viewsOf(running);
  const dropout = { p, seed: 7, stream: 3, step: trial.input(Uint32Array.of(5)) };
  if (inOne) {
    kernels.linearBatchNorm(plan, { x, ...weights, ...norm, ...averages, moments, z, y }, size, dropout);
  } else {
    const normSize = { rows, features: outputs };
    const statistics = trial.f32('statistics', 2 * statisticsLength(normSize)).view;
    linear(plan, { x, ...weights, y: z }, size, { statistics, variant: 'blocks' });
    batchNormFinish(plan, { statistics, moments, ...averages }, normSize, WG);
    batchNormApply(plan, { x: z, moments, ...norm, y }, normSize, { relu: true, dropout });
  }
  return bits(trial, { ...made, ...running });
}

it('forward in one dispatch has the bits of three, with and without dropout', async ({ skip }) => {
  skip(!runsOnSubgroups(on.gpu), NO_SUBGROUPS);
  for (const size of SIZES) {
    for (const p of [0, 0.3]) {
      expect(await forward(size, p, true), `${size}, ${p}`).toEqual(await forward(size, p, false));
    }
  }
});

/** A layer before its backward pass: y, half of it zeros, and what BatchNorm left. */
function layer([rows, features, outputs]: Size) {
  const draws = new Draws(rows + features * outputs);
  const n = rows * features;
  const trial = new Trial(on.gpu);
  const given = {
    z: trial.input(draws.normal(n)),
    y: trial.input(Float32Array.from(relu(draws.normal(n)))),
    moments: trial.input(draws.vector(2 * features, 0.5, 2)),
    gamma: trial.input(draws.vector(features, 0.5, 2)),
  };
  const gradients = {
    dgamma: trial.f32('dgamma', features),
    dbeta: trial.f32('dbeta', features),
    dz: trial.f32('dz', n),
  };
  const dy = trial.input(draws.normal(n));
  const behind = {
    dz: trial.input(draws.normal(rows * outputs)),
    weight: trial.input(draws.normal(outputs * features)),
  };
  const ofBehind = { dweight: trial.f32('dweight', outputs * features), dbias: trial.f32('dbias', outputs) };
  return { trial, size: { rows, features }, given, gradients, dy, behind, ofBehind };
}

const SCALE = 1.25;

/** BatchNorm's three kernels, with ReLU and dropout behind it. */
function threeKernels({ trial, size, given, gradients }: ReturnType<typeof layer>, dy: View): void {
  const { z, ...others } = given;
  const { dz, ...ofParameters } = viewsOf(gradients);
  const sums = trial.f32('sums', 2 * sumsLength(size)).view;
  const views = { ...others, x: z, dy, sums, dx: dz, ...ofParameters };
  batchNormBackward(trial.plan, views, size, { relu: true, scale: SCALE, WG });
}

it('backward in one dispatch has the bits of three', async ({ skip }) => {
  skip(
    on.gpu.adapterKind === 'hardware',
    'a GPU may fuse multiplication and addition in one kernel and not in another',
  );
  for (const size of SIZES) {
    const [inOne, apart] = [layer(size), layer(size)];
    const views = { ...inOne.given, ...viewsOf(inOne.gradients), dy: inOne.dy };
    kernels.hiddenBackward(inOne.trial.plan, views, inOne.size, SCALE);
    threeKernels(apart, apart.dy);
    const expected = await bits(apart.trial, apart.gradients);
    expect(await bits(inOne.trial, inOne.gradients), String(size)).toEqual(expected);
  }
});

it('backward from the layer behind, with the gradients of that, has the bits of five dispatches', async ({ skip }) => {
  skip(!runsOnSubgroups(on.gpu), NO_SUBGROUPS);
  for (const size of SIZES) {
    const [rows, inputs, outputs] = size;
    const [inOne, apart] = [layer(size), layer(size)];
    const behind = { ...inOne.behind, ...viewsOf(inOne.ofBehind), outputs };
    const views = { ...inOne.given, ...viewsOf(inOne.gradients) };
    kernels.hiddenBackwardBetween(inOne.trial.plan, views, inOne.size, behind, SCALE);

    const { trial, given, ofBehind } = apart;
    const { dz, weight } = apart.behind;
    const product = { rows, inputs, outputs };
    const dx = trial.f32('dy', rows * inputs).view;
    linearInputGrad(trial.plan, { dy: dz, weight, dx }, product, { variant: 'blocks' });
    const weightViews = { x: given.y, dy: dz, ...viewsOf(ofBehind) };
    linearWeightGrad(trial.plan, weightViews, product, { variant: 'blocks', noBias: true });
    threeKernels(apart, dx);
    const actual = await bits(inOne.trial, { ...inOne.gradients, ...inOne.ofBehind });
    expect(actual, String(size)).toEqual(await bits(trial, { ...apart.gradients, ...ofBehind }));
  }
});
