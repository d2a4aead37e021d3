import { describe, expect, it } from 'vitest';
import { LANES } from '../../src/kernels/launch.ts';
import {
  logitOf,
  type PairBlock,
  pairLayer,
  pairLayers,
  pairScores,
  pairSums,
  runsPairLayer,
  runsPairLayers,
  scoreVariants,
} from '../../src/kernels/pairs.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import { absolute, fromIndex, relu } from '../reference/elementwise.ts';
import * as linearReference from '../reference/linear.ts';

const on = useGpu();

/** Blocks of 30 items at most, and the step they are scored at; the last ones reach past the tested users. */
const BLOCKS: readonly (PairBlock & { readonly step: number })[] = [
  { users: 1, items: 1, firstItem: 0, tested: 1, step: 0 },
  { users: 3, items: 7, firstItem: 5, tested: 9, step: 2 },
  { users: 8, items: 8, firstItem: 1, tested: 16, step: 1 },
  { users: 8, items: 30, firstItem: 0, tested: 12, step: 1 },
  { users: 19, items: 17, firstItem: 13, tested: 30, step: 1 },
];
const ALL_ITEMS = 30;

/** The tested users of a block, as far as there are any. */
const usersOf = ({ users, tested, step }: (typeof BLOCKS)[number]) => Math.min(users, tested - step * users);

describe.each(BLOCKS)('$users users × $items items from $firstItem, step $step of $tested users', (block) => {
  const { users, items, firstItem, tested, step } = block;
  const real = usersOf(block);
  const draws = new Draws(users * items);

  function firstLayer(units: number) {
    const [a, c] = [draws.normal(tested * units), draws.normal(ALL_ITEMS * units)];
    const sum = (of: (x: number) => number) =>
      fromIndex(users * items * units, (at) => {
        const [pair, k] = [Math.floor(at / units), at % units];
        const user = Math.min(step * users + Math.floor(pair / items), tested - 1);
        return of(a[user * units + k]!) + of(c[(firstItem + (pair % items)) * units + k]!);
      });
    return { a, c, x: relu(sum((value) => value)), scale: sum(Math.abs) };
  }

  it.each([1, 4, 7, 16])('a first layer of %i units', async (units) => {
    const { a, c, x, scale } = firstLayer(units);
    const trial = new Trial(on.gpu);
    const y = trial.f32('y', users * items * units);
    const views = { step: trial.input(Uint32Array.of(step)), a: trial.input(a), c: trial.input(c), y: y.view };
    pairSums(trial.plan, views, block, units);
    trial.plan.run();
    expectClose(await y.data(), x, { scale });
  });

  it.each([
    [4, 8],
    [8, 24],
    [32, 16],
  ])('a layer %i → %i on subgroups, where the adapter has them', async (inputs, outputs) => {
    const size = { inputs, outputs };
    if (!runsPairLayer(on.gpu, size)) return expect(on.gpu.subgroupSize).not.toBe(LANES);
    const { a, c, x } = firstLayer(inputs);
    const [weight, bias] = [draws.normal(outputs * inputs), draws.normal(outputs)];
    const rows = { rows: users * items, ...size };
    const given = Float32Array.from(x);
    const expected = relu(linearReference.linear(given, weight, bias, rows));
    const scale = linearReference.linear(given, absolute(weight), absolute(bias), rows);
    const trial = new Trial(on.gpu);
    const y = trial.f32('y', users * items * outputs);
    const layer = { weight: trial.input(weight), bias: trial.input(bias), y: y.view };
    const views = { step: trial.input(Uint32Array.of(step)), a: trial.input(a), c: trial.input(c), ...layer };
    pairLayer(trial.plan, views, block, size);
    trial.plan.run();
    expectClose(await y.data(), expected, { scale });
  });

  it.each([
    [8, 8, 8],
    [16, 24, 16],
    [8, 8, 24],
    [24, 40, 32],
  ])('layers %i → %i → %i on subgroups, where the adapter has them', async (inputs, middle, outputs) => {
    if (!runsPairLayers(on.gpu, { inputs, outputs: middle }, { inputs: middle, outputs })) {
      return expect(on.gpu.subgroupSize).not.toBe(LANES);
    }
    const { a, c, x } = firstLayer(inputs);
    const rows = users * items;
    const [w1, b1] = [draws.normal(middle * inputs), draws.normal(middle)];
    const [w2, b2] = [draws.normal(outputs * middle), draws.normal(outputs)];
    const two = (of: (values: ArrayLike<number>) => ArrayLike<number>) => {
      const z = relu(linearReference.linear(x, of(w1), of(b1), { rows, inputs, outputs: middle }));
      return relu(linearReference.linear(z, of(w2), of(b2), { rows, inputs: middle, outputs }));
    };
    const trial = new Trial(on.gpu);
    const y = trial.f32('y', rows * outputs);
    const views = { step: trial.input(Uint32Array.of(step)), a: trial.input(a), c: trial.input(c), y: y.view };
    const layers = [
      { weight: trial.input(w1), bias: trial.input(b1) },
      { weight: trial.input(w2), bias: trial.input(b2) },
    ] as const;
    pairLayers(trial.plan, views, layers, block, { inputs, middle, outputs });
    trial.plan.run();
    expectClose(
      await y.data(),
      two((values) => values),
      { scale: two(absolute) },
    );
  });

  it.each([
    [0, 8],
    [4, 0],
    [8, 12],
    [3, 5],
    [1, 0],
  ])('scores of %i factors and %i units, and nothing else', async (dim, units) => {
    const size = { allItems: ALL_ITEMS, dim, units };
    const [p, q] = [draws.normal(tested * dim), draws.normal(ALL_ITEMS * dim)];
    const [x, h, bias] = [draws.normal(users * items * units), draws.normal(dim + units), draws.normal(1)];
    const score = (of: (value: number) => number) =>
      fromIndex(real * items, (pair) => {
        const [user, item] = [step * users + Math.floor(pair / items), firstItem + (pair % items)];
        let sum = of(bias[0]!);
        for (let d = 0; d < dim; d++) sum += of(h[d]! * p[user * dim + d]! * q[item * dim + d]!);
        for (let k = 0; k < units; k++) sum += of(h[dim + k]! * x[pair * units + k]!);
        return sum;
      });
    for (const variant of scoreVariants(on.gpu, size)) {
      const trial = new Trial(on.gpu);
      const keys = trial.inPlace('keys', new Uint32Array(users * ALL_ITEMS).fill(7));
      const views = {
        step: trial.input(Uint32Array.of(step)),
        h: trial.input(h),
        bias: trial.input(bias),
        keys: keys.view,
        ...(dim && { p: trial.input(p), q: trial.input(q) }),
        ...(units && { x: trial.input(x) }),
      };
      pairScores(trial.plan, views, block, size, variant);
      trial.plan.run();
      const written = await keys.data();
      const inside = (at: number) => at % ALL_ITEMS >= firstItem && at % ALL_ITEMS < firstItem + items;
      const others = written.filter((_, at) => !inside(at));
      expect(others.every((key) => key === 7)).toBe(true);
      const logits = Array.from(written.filter((_, at) => inside(at)).subarray(0, real * items), logitOf);
      expectClose(
        logits,
        score((value) => value),
        { scale: score(Math.abs) },
      );
    }
  });
});

it('keys order as logits do: −0 as 0, what is not a number below all others', async () => {
  const x = Float32Array.of(-Infinity, -3e38, -1.5, -1e-30, -0, 0, 1e-30, 1.5, 3e38, Infinity, NaN);
  const size = { allItems: x.length, dim: 0, units: 1 };
  const trial = new Trial(on.gpu);
  const keys = trial.u32('keys', x.length);
  const views = {
    step: trial.input(Uint32Array.of(0)),
    x: trial.input(x),
    h: trial.input([1]),
    bias: trial.input([0]),
    keys: keys.view,
  };
  pairScores(trial.plan, views, { users: 1, items: x.length, firstItem: 0, tested: 1 }, size);
  trial.plan.run();
  const written = [...(await keys.data())];
  expect(written.slice(0, 10)).toEqual(written.slice(0, 10).toSorted((a, b) => a - b));
  expect(new Set(written).size).toBe(x.length - 1);
  expect(Math.min(...written)).toBe(written[10]);
  expect(written[10]).toBeGreaterThan(0);
  expect(written.map(logitOf)).toEqual([...x].map((value) => value + 0));
});
