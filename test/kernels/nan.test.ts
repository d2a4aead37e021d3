/** What is no number must reach the loss: no rectifier takes it for 0. */
import { describe, expect, it } from 'vitest';
import { batchNormApply } from '../../src/kernels/batch-norm.ts';
import { relu } from '../../src/kernels/elementwise.ts';
import { linear, productVariants } from '../../src/kernels/linear.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';

const on = useGpu();

/** Quiet NaNs of both signs, infinities, zeros of both signs, and numbers. */
const SPECIAL = new Float32Array(
  Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800000, 0xff800000, 0x80000000, 0, 0xc0000000, 0x40000000).buffer,
);
const { NaN: NAN, POSITIVE_INFINITY: INFINITY } = Number;
const RECTIFIED = [NAN, NAN, INFINITY, 0, 0, 0, 0, 2];

it('relu lets NaN of either sign through, and cuts −∞ and −0', async () => {
  const trial = new Trial(on.gpu);
  const out = trial.f32('out', 8);
  relu(trial.plan, trial.input(SPECIAL), out.view, 8);
  trial.plan.run();
  expect([...(await out.data())]).toEqual(RECTIFIED);
});

describe.each([
  ['vectors', 1, 8],
  ['single features', 8, 1],
])('BatchNorm before a rectifier, in %s,', (_, rows, features) => {
  it('lets NaN through', async () => {
    const trial = new Trial(on.gpu);
    const y = trial.f32('y', 8);
    const of = (value: number) => trial.input(new Float32Array(features).fill(value));
    // Mean 0 and deviation 1: what comes in is what is rectified.
    const moments = trial.input(Float32Array.from({ length: 2 * features }, (_, i) => i % 2));
    const views = { x: trial.input(SPECIAL), moments, gamma: of(1), beta: of(0), y: y.view };
    batchNormApply(trial.plan, views, { rows, features }, { relu: true });
    trial.plan.run();
    expect([...(await y.data())]).toEqual(RECTIFIED);
  });
});

it('every variant of a linear layer lets NaN through its rectifier', async () => {
  const size = { rows: 8, inputs: 4, outputs: 8 };
  for (const variant of ['blocks', ...productVariants(on.gpu, size)] as const) {
    const trial = new Trial(on.gpu);
    const y = trial.f32('y', 64);
    const zeros = (length: number) => trial.input(new Float32Array(length));
    const views = { x: zeros(32), weight: zeros(32), bias: trial.input(SPECIAL), y: y.view };
    linear(trial.plan, views, size, { relu: true, variant });
    trial.plan.run();
    expect([...(await y.data())].slice(-8), variant).toEqual(RECTIFIED);
  }
});
