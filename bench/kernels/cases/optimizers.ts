import * as kernels from '../../../src/kernels/optimizers.ts';
import { parameterSpecs } from '../../../src/models/layout.ts';
import { absolute, fromIndex } from '../../../test/reference/elementwise.ts';
import * as reference from '../../../test/reference/optimizers.ts';
import { type Case, neumfConfig, type Sizes, single, times } from '../case.ts';

const ADAM = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 1e-6 };
const SGD = { lr: 1e-2, weightDecay: 1e-3, momentum: 0.9 };
const CLIP = 0.5;
/** Steps taken before, which Adam's bias correction depends on. */
const STEP = 10;

/** Over all weights of the preset's NeuMF. */
export function optimizerCases(sizes: Sizes): Case[] {
  const trained = parameterSpecs(neumfConfig(sizes)).filter(({ buffer }) => !buffer);
  const weights = trained.reduce((sum, { shape }) => sum + shape.reduce((size, length) => size * length, 1), 0);
  const n = 4 * Math.ceil(weights / 4);
  return [adamCase(n), sgdCase(n), momentumCase(n), clipCase(n)];
}

function adamCase(n: number): Case {
  return single('adam', times(n), { bytes: 28 * n, flops: 16 * n }, (trial) => {
    const { draws } = trial;
    const initial = { weight: draws.vector(n), m: draws.vector(n), v: draws.vector(n, 0.1, 1) };
    const gradient = draws.vector(n);
    const expected = {
      weight: Float64Array.from(initial.weight),
      m: Float64Array.from(initial.m),
      v: Float64Array.from(initial.v),
    };
    const clipped = fromIndex(n, (i) => CLIP * gradient[i]!);
    reference.adam(expected, clipped, STEP + 1, ADAM);
    const { lr, beta1, beta2, eps, weightDecay } = ADAM;
    const hyper = kernels.adamNumbers({ lr, betas: [beta1, beta2], eps, weightDecay });
    const views = {
      gradient: trial.input(gradient),
      clip: trial.input(Float32Array.of(9, CLIP)),
      step: trial.input(Uint32Array.of(STEP)),
      hyper: trial.input(hyper),
      weight: trial.inPlace(
        'weight',
        initial.weight,
        expected.weight,
        fromIndex(n, (i) => Math.abs(initial.weight[i]!) + lr),
      ),
      m: trial.inPlace(
        'm',
        initial.m,
        expected.m,
        fromIndex(n, (i) => Math.abs(initial.m[i]!) + Math.abs(clipped[i]!)),
      ),
      v: trial.inPlace('v', initial.v, expected.v, expected.v),
    };
    kernels.adam(trial.plan, views, n);
  });
}

function sgdCase(n: number): Case {
  return single('sgd', times(n), { bytes: 12 * n, flops: 5 * n }, (trial) => {
    const [initial, gradient] = [trial.draws.vector(n), trial.draws.vector(n)];
    const expected = Float64Array.from(initial);
    const clipped = fromIndex(n, (i) => CLIP * gradient[i]!);
    reference.sgd(expected, clipped, SGD.lr, SGD.weightDecay);
    const scale = fromIndex(n, (i) => Math.abs(initial[i]!) + SGD.lr * Math.abs(clipped[i]!));
    const views = {
      gradient: trial.input(gradient),
      clip: trial.input(Float32Array.of(9, CLIP)),
      hyper: trial.input(Float32Array.of(SGD.lr, SGD.weightDecay)),
      weight: trial.inPlace('weight', initial, expected, scale),
    };
    kernels.sgd(trial.plan, views, n);
  });
}

function momentumCase(n: number): Case {
  return single('sgd_momentum', times(n), { bytes: 20 * n, flops: 7 * n }, (trial) => {
    const [initial, before, gradient] = [trial.draws.vector(n), trial.draws.vector(n), trial.draws.vector(n)];
    const expected = { weight: Float64Array.from(initial), buffer: Float64Array.from(before) };
    const clipped = fromIndex(n, (i) => CLIP * gradient[i]!);
    reference.sgdMomentum(expected, clipped, SGD);
    const scale = fromIndex(n, (i) => Math.abs(initial[i]!) + Math.abs(before[i]!) + Math.abs(clipped[i]!));
    const views = {
      gradient: trial.input(gradient),
      clip: trial.input(Float32Array.of(9, CLIP)),
      hyper: trial.input(Float32Array.of(SGD.lr, SGD.weightDecay, SGD.momentum)),
      weight: trial.inPlace('weight', initial, expected.weight, scale),
      momentumBuffer: trial.inPlace('momentum buffer', before, expected.buffer, scale),
    };
    kernels.sgdMomentum(trial.plan, views, n);
  });
}

function clipCase(n: number): Case {
  const partials = 4 * kernels.NORM_THREADS;
  return {
    kernels: ['global_norm', 'clip_factor'],
    shape: times(n),
    timed: [
      { first: 0, end: 2, bytes: 4 * n + 8, flops: 2 * n },
      { first: 0, end: 1, bytes: 4 * n + partials, flops: 2 * n },
      { first: 1, end: 2, bytes: partials + 8, flops: kernels.NORM_THREADS },
    ],
    record(trial) {
      const gradient = trial.draws.vector(n);
      const norm = reference.norm(gradient);
      const expected = Float64Array.of(norm, reference.clipFactor(norm, norm / 3));
      const clip = trial.output('clip', expected, absolute(expected));
      const partial = trial.scratch(kernels.NORM_THREADS);
      kernels.globalNorm(trial.plan, [trial.input(gradient)], partial);
      kernels.clipFactor(trial.plan, { partial, clip }, norm / 3);
    },
  };
}
