import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import * as kernels from '../../src/kernels/optimizers.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import * as reference from '../reference/optimizers.ts';

const on = useGpu();

const hyper = ({ beta1, beta2, ...others }: reference.AdamNumbers) =>
  kernels.adamNumbers({ ...others, betas: [beta1, beta2] });

const LESSON = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 1e-6 };

describe('Adam', () => {
  it.each([
    ['from the first step', 0, LESSON, 1],
    ['after 100,000 steps', 100_000, LESSON, 1],
    ['with clipped gradients', 0, LESSON, 0.1],
    [
      'with strong weight decay and other betas',
      3,
      { lr: 0.02, beta1: 0.5, beta2: 0.9, eps: 1e-4, weightDecay: 0.1 },
      0.5,
    ],
  ] as const)('%s follows torch.optim.Adam for 30 steps', async (_, start, options, factor) => {
    const n = 4 * 65;
    const draws = new Draws(n);
    const initial = draws.normal(n, 0, 0.01);
    const gradients = Array.from({ length: 30 }, () => draws.normal(n));
    const trial = new Trial(on.gpu);
    const weight = trial.inPlace('weight', initial);
    const [m, v] = [trial.inPlace('m', new Float32Array(n)), trial.inPlace('v', new Float32Array(n))];
    const [gradient, step] = [trial.input(gradients[0]!), trial.input(Uint32Array.of(start))];
    const shared = { clip: trial.input([9, factor]), hyper: trial.input(hyper(options)) };
    kernels.adam(trial.plan, { ...shared, gradient, step, weight: weight.view, m: m.view, v: v.view }, n);
    const expected = { weight: Float64Array.from(initial), m: new Float64Array(n), v: new Float64Array(n) };
    gradients.forEach((values, s) => {
      on.gpu.write(gradient.buffer, gradient.offset!, values);
      on.gpu.write(step.buffer, step.offset!, Uint32Array.of(start + s));
      trial.plan.run();
      const clipped = Float64Array.from(values, (value) => value * factor);
      reference.adam(expected, clipped, start + s + 1, options);
    });
    const moved = expected.weight.map((value) => Math.abs(value) + 30 * options.lr); // 30 updates of up to lr each
    expectClose(await weight.data(), expected.weight, { scale: moved });
    expectClose(await m.data(), expected.m, { scale: expected.m.map(() => factor) });
    expectClose(await v.data(), expected.v, { relative: 3e-6 });
  });

  it('updates large and ragged arenas, every element once', async () => {
    for (const n of [4, 12, 4 * 255, 4 * 257, 4 * 5001]) {
      const draws = new Draws(n);
      const [initial, gradient] = [draws.normal(n), draws.normal(n)];
      const trial = new Trial(on.gpu);
      const weight = trial.inPlace('weight', initial);
      const [m, v] = [trial.inPlace('m', new Float32Array(n)), trial.inPlace('v', new Float32Array(n))];
      const inputs = {
        gradient: trial.input(gradient),
        clip: trial.input([1, 1]),
        step: trial.input(Uint32Array.of(0)),
        hyper: trial.input(hyper(LESSON)),
      };
      kernels.adam(trial.plan, { ...inputs, weight: weight.view, m: m.view, v: v.view }, n);
      trial.plan.run();
      const expected = { weight: Float64Array.from(initial), m: new Float64Array(n), v: new Float64Array(n) };
      reference.adam(expected, gradient, 1, LESSON);
      expectClose(await weight.data(), expected.weight, { scale: expected.weight.map((w) => Math.abs(w) + LESSON.lr) });
      expectClose(await m.data(), expected.m);
      expectClose(await v.data(), expected.v);
    }
  });

  it('moves a weight without gradient only by its decay, and one without either not at all', async () => {
    const trial = new Trial(on.gpu);
    const weight = trial.inPlace('weight', Float32Array.of(0, 5, 0, 5));
    const [m, v] = [trial.inPlace('m', new Float32Array(4)), trial.inPlace('v', new Float32Array(4))];
    const inputs = {
      gradient: trial.input([0, 0, 0, 0]),
      clip: trial.input([0, 1]),
      step: trial.input(Uint32Array.of(0)),
      hyper: trial.input(hyper({ ...LESSON, weightDecay: 1e-2 })),
    };
    kernels.adam(trial.plan, { ...inputs, weight: weight.view, m: m.view, v: v.view }, 4);
    trial.plan.run();
    expectClose(await weight.data(), [0, 5 - 1e-3, 0, 5 - 1e-3]);
  });
});

it('gradient descent follows torch.optim.SGD, with weight decay and clipped gradients', async () => {
  const n = 4 * 129;
  const draws = new Draws(n);
  const [initial, gradient] = [draws.normal(n), draws.normal(n)];
  const trial = new Trial(on.gpu);
  const weight = trial.inPlace('weight', initial);
  const inputs = { gradient: trial.input(gradient), clip: trial.input([9, 0.5]), hyper: trial.input([0.1, 0.01]) };
  kernels.sgd(trial.plan, { ...inputs, weight: weight.view }, n);
  trial.plan.run(3);
  const expected = Float64Array.from(initial);
  const clipped = Float64Array.from(gradient, (value) => value * 0.5);
  for (let step = 0; step < 3; step++) reference.sgd(expected, clipped, 0.1, 0.01);
  expectClose(await weight.data(), expected, { scale: expected.map((value) => Math.abs(value) + 1) });
});

it('gradient descent with momentum follows torch.optim.SGD, from a buffer of zeros on', async () => {
  const n = 4 * 129;
  const draws = new Draws(n);
  const initial = draws.normal(n);
  const gradients = Array.from({ length: 10 }, () => draws.normal(n));
  const trial = new Trial(on.gpu);
  const weight = trial.inPlace('weight', initial);
  const buffer = trial.inPlace('momentum buffer', new Float32Array(n));
  const gradient = trial.input(gradients[0]!);
  const inputs = { gradient, clip: trial.input([9, 0.5]), hyper: trial.input([0.1, 0.01, 0.9]) };
  kernels.sgdMomentum(trial.plan, { ...inputs, weight: weight.view, momentumBuffer: buffer.view }, n);
  const expected = { weight: Float64Array.from(initial), buffer: new Float64Array(n) };
  for (const values of gradients) {
    on.gpu.write(gradient.buffer, gradient.offset!, values);
    trial.plan.run();
    const clipped = Float64Array.from(values, (value) => value * 0.5);
    reference.sgdMomentum(expected, clipped, { lr: 0.1, weightDecay: 0.01, momentum: 0.9 });
  }
  const scale = expected.weight.map((value) => Math.abs(value) + 1);
  expectClose(await weight.data(), expected.weight, { scale });
  expectClose(await buffer.data(), expected.buffer, { scale });
});

describe('the bias correction', () => {
  it('is rounded once, for every step until it has ended', () => {
    const numbers = kernels.adamNumbers({ lr: 0.002, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 1e-6 });
    const last = numbers[7]!;
    expect(numbers.length).toBe(8 + 2 * last);
    expect([...numbers.subarray(0, 7)]).toEqual([0, 1, 1 - 0.9, 0.999, 1 - 0.999, 1e-8, 1e-6].map(Math.fround));
    for (const t of [1, 2, 100, 5000]) {
      expect(numbers[6 + 2 * t]).toBe(Math.fround(0.002 / (1 - 0.9 ** t)));
      expectClose([numbers[7 + 2 * t]!], [1 / Math.sqrt(1 - 0.999 ** t)], { relative: 1e-7 });
    }
    expect([...numbers.subarray(6 + 2 * last)]).toEqual([Math.fround(0.002), 1]);
    expect([...numbers.subarray(4 + 2 * last, 6 + 2 * last)]).not.toEqual([Math.fround(0.002), 1]);
  });

  it.each([[0.9, 0.999] as const, [0.9, 0.3] as const, [0, 0] as const])(
    'for betas of %f and %f takes as many steps at any learning rate',
    (...betas) => {
      const length = (lr: number) => kernels.adamNumbers({ lr, betas, eps: 1e-8, weightDecay: 0 }).length;
      const rates = [1e-30, 1e-5, 0.0007, 1e-3, 0.5, 1.999, 20];
      expect(new Set(rates.map(length)).size).toBe(1);
    },
  );

  it.each([[1, 0.999] as const, [0.9, 1 - 1e-9] as const, [0.9, 1.5] as const, [Number.NaN, 0.9] as const])(
    'betas of %f and %f, for which it never ends, are refused',
    (...betas) => {
      const numbers = { lr: 0.002, betas, eps: 1e-8, weightDecay: 0 };
      expect(() => kernels.adamNumbers(numbers)).toThrow(ConfigError);
    },
  );
});

describe('the norm of all gradients', () => {
  it.each([4, 12, 4 * 1023, 4 * 1025, 4 * 50_001])('over %i elements, and the factor that clips it', async (n) => {
    const gradient = new Draws(n).normal(n);
    const norm = reference.norm(gradient);
    for (const maxNorm of [null, norm / 3, norm * 3]) {
      const clip = await clipped([gradient], maxNorm);
      expectClose(clip, [norm, reference.clipFactor(norm, maxNorm)]);
    }
  });

  it('joins the pieces of an arena that is too large for one binding', async () => {
    const draws = new Draws(2);
    const [a, b, c] = [draws.normal(400), draws.normal(8, 0, 10), draws.normal(4000)];
    const norm = reference.norm([...a, ...b, ...c]);
    expectClose(await clipped([a, b, c], 1), [norm, reference.clipFactor(norm, 1)]);
    const whole = Float32Array.of(...a, ...b, ...c);
    expect(await clipped([a, b, c], 1)).toEqual(await clipped([whole], 1));
  });

  it('of zeros is 0 and clips nothing', async () => {
    expect([...(await clipped([new Float32Array(64)], 1))]).toEqual([0, 1]);
  });

  async function clipped(pieces: readonly Float32Array<ArrayBuffer>[], maxNorm: number | null) {
    const trial = new Trial(on.gpu);
    const [partial, clip] = [trial.f32('partial', kernels.NORM_THREADS), trial.f32('clip', 2)];
    const gradients = pieces.map((piece) => ({ ...trial.input(piece), size: 4 * piece.length }));
    kernels.globalNorm(trial.plan, gradients, partial.view);
    kernels.clipFactor(trial.plan, { partial: partial.view, clip: clip.view }, maxNorm ?? 0);
    trial.plan.run();
    await partial.data();
    return clip.data();
  }
});
