import type { Gpu } from '../../../src/gpu/device.ts';
import * as kernels from '../../../src/kernels/adam-rows.ts';
import { groupsLength } from '../../../src/kernels/group.ts';
import { adamNumbers, NORM_THREADS } from '../../../src/kernels/optimizers.ts';
import { fromIndex } from '../../../test/reference/elementwise.ts';
import * as reference from '../../../test/reference/optimizers.ts';
import { type Case, hiddenLayers, type Sizes, single, times } from '../case.ts';
import type { Draws } from '../draws.ts';
import { positionsByRow } from '../reference.ts';
import type { Trial } from '../trial.ts';
import { groupsOf } from './embedding.ts';

const ADAM = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 1e-6 };
const CLIP = 0.5;
/** Steps taken before. */
const STEP = 10_000;

/** How many steps a row has missed on average when a batch looks at it: as many as batches look at all rows together. */
function meanMissed({ rows, users, items }: Sizes): number {
  const looked = [users, items].reduce((sum, vocabulary) => sum + vocabulary * (1 - (1 - 1 / vocabulary) ** rows), 0);
  return Math.round((users + items) / looked);
}

/** So many steps for each row, up to three times the mean. */
function drawMissed(draws: Draws, sizes: Sizes, count: number): Uint32Array<ArrayBuffer> {
  const mean = meanMissed(sizes);
  return Uint32Array.from({ length: count }, () => Math.min(3 * mean, -Math.log(1 - draws.uniform()) * mean));
}

/** Adam on the rows of a batch, on all four tables of the preset's NeuMF. */
export function deferredCases(gpu: Gpu, sizes: Sizes): Case[] {
  const walks = (body: (byRows: boolean) => Case) => [body(false), body(true)];
  return [
    ...walks((byRows) => gatherCase(gpu, sizes, byRows, true)),
    ...walks((byRows) => gatherCase(gpu, sizes, byRows, false)),
    ...walks((byRows) => scatterCase(gpu, sizes, byRows, false)),
    ...walks((byRows) => scatterCase(gpu, sizes, byRows, true)),
    normCase(sizes),
    settleCase(sizes),
  ];
}

/** Tables, a batch and its groups. */
function setting(trial: Trial, sizes: Sizes) {
  const { rows, users, items, gmfDim, mlpDim } = sizes;
  const { draws } = trial;
  const drawn = { users: draws.ids(rows, users), items: draws.popular(rows, items) };
  const positions = positionsByRow(
    Uint32Array.from([...drawn.users, ...drawn.items.map((item) => users + item)]),
    users + items,
  );
  const missed = drawMissed(draws, sizes, users + items);
  const stamps = missed.map((steps) => STEP - steps);
  const { groups, slots } = groupsOf(positions, 2 * rows, STEP, stamps);
  const [a, b] = [gmfDim / 4, mlpDim / 4];
  const params = {
    split: rows,
    offset: users,
    dim_a: a,
    dim_b: b,
    user_a: 0,
    item_a: users * a,
    user_b: (users + items) * a,
    item_b: (users + items) * a + users * b,
    x: 2 * rows * a,
  };
  /** Where the elements of a row lie in the tables, and in what is gathered for one of its positions. */
  const places = (row: number, position: number) => {
    const item = Number(row >= users);
    const r = row - item * users;
    return [
      [4 * ((item ? params.item_a : params.user_a) + r * a), 4 * position * a, gmfDim],
      [
        4 * ((item ? params.item_b : params.user_b) + r * b),
        4 * (params.x + (2 * (position - item * rows) + item) * b),
        mlpDim,
      ],
    ] as [table: number, gathered: number, length: number][];
  };
  const n = (users + items) * (gmfDim + mlpDim);
  const grouped = { groups: trial.input(groups), slots: trial.input(slots) };
  return { grouped, positions, missed, params, places, n, gathered: 2 * rows * (gmfDim + mlpDim) };
}

const initialState = (draws: Draws, n: number) => ({
  weight: draws.vector(n),
  m: draws.vector(n, -0.01, 0.01),
  v: draws.vector(n, 0.001, 0.01),
});

type State = ReturnType<typeof initialState>;

/** The state in place, with what is expected of it. @param magnitudes Σ |dy| of each element's gradient */
function bound(trial: Trial, initial: State, expected: reference.AdamState, magnitudes?: Float64Array) {
  const { length } = initial.weight;
  const summed = (i: number) => magnitudes?.[i] ?? 0;
  const scale = {
    weight: fromIndex(length, (i) => Math.abs(initial.weight[i]!) + ADAM.lr),
    m: fromIndex(length, (i) => Math.abs(initial.m[i]!) + Math.abs(expected.m[i]!) + (1 - ADAM.beta1) * summed(i)),
    v: fromIndex(length, (i) => expected.v[i]! + (1 - ADAM.beta2) * summed(i) ** 2),
  };
  const place = (name: keyof State) => trial.inPlace(name, initial[name], expected[name], scale[name]);
  return { weight: place('weight'), m: place('m'), v: place('v') };
}

const copyOf = ({ weight, m, v }: State): reference.AdamState => ({
  weight: Float64Array.from(weight),
  m: Float64Array.from(m),
  v: Float64Array.from(v),
});

/** The reference's step t on some of the elements. */
function step(state: reference.AdamState, first: number, gradient: Float64Array, t: number): void {
  const part = (all: Float64Array) => all.subarray(first, first + gradient.length);
  reference.adam({ weight: part(state.weight), m: part(state.m), v: part(state.v) }, gradient, t, ADAM);
}

function inputs(trial: Trial) {
  const hyper = adamNumbers({ ...ADAM, betas: [ADAM.beta1, ADAM.beta2] });
  hyper[1] = CLIP;
  return { step: trial.input(Uint32Array.of(STEP)), hyper: trial.input(hyper) };
}

/** A kernel of one walk over rows or positions, beside the other. */
function walking(gpu: Gpu, { rows, users, items, gmfDim, mlpDim }: Sizes, byRows: boolean) {
  const vectors = (gmfDim + mlpDim) / 4;
  const chosen = kernels.walkOf(gpu, 2 * rows, users + items, vectors);
  const lanes = chosen.byRows === byRows ? chosen.lanes : byRows && gpu.adapterKind === 'software' ? 1 : vectors;
  return {
    variant: { variant: byRows ? 'rows' : 'positions', chosen: chosen.byRows === byRows },
    threads: { first: 0, count: byRows ? users + items : 2 * rows, lanes, least: 0, rows: users + items },
  };
}

const shapeOf = ({ rows, users, items, gmfDim, mlpDim }: Sizes) =>
  `${times(rows)} of ${times(users + items, gmfDim + mlpDim)}`;

function gatherCase(gpu: Gpu, sizes: Sizes, byRows: boolean, catchUp: boolean): Case {
  const { variant, threads } = walking(gpu, sizes, byRows);
  const { rows, gmfDim, mlpDim } = sizes;
  const elements = 2 * rows * (gmfDim + mlpDim);
  const bytes = 4 * (groupsLength(2 * rows) + (catchUp ? 7 : 2) * elements);
  const shape = `${shapeOf(sizes)}, ${catchUp ? `${meanMissed(sizes)} steps missed` : 'lazy'}`;
  const work = { bytes, ...(catchUp && { flops: 14 * meanMissed(sizes) * elements }) };
  const own = single('adam_gather', shape, work, (trial) => {
    const { grouped, positions, missed, params, places, n, gathered } = setting(trial, sizes);
    const initial = initialState(trial.draws, n);
    const expected = copyOf(initial);
    const out = new Float64Array(gathered);
    positions.forEach((own, row) => {
      own.forEach((position, k) => {
        for (const [table, place, length] of places(row, position)) {
          const none = new Float64Array(length);
          for (let t = STEP - missed[row]! + 1; catchUp && k === 0 && t <= STEP; t++) step(expected, table, none, t);
          out.set(expected.weight.subarray(table, table + length), place);
        }
      });
    });
    const scale = out.map((value) => Math.abs(value) + ADAM.lr);
    const views = { ...bound(trial, initial, expected), ...inputs(trial), out: trial.output('out', out, scale) };
    kernels.adamGather(trial.plan, { ...views, ...grouped }, { ...params, ...threads }, { byRows, catchUp });
  });
  return { ...own, ...variant };
}

function scatterCase(gpu: Gpu, sizes: Sizes, byRows: boolean, summed: boolean): Case {
  const { variant, threads } = walking(gpu, sizes, byRows);
  const { rows, gmfDim, mlpDim } = sizes;
  const elements = 2 * rows * (gmfDim + mlpDim);
  const bytes = 4 * (groupsLength(2 * rows) + 7 * elements);
  const shape = `${shapeOf(sizes)}${summed ? ', summed' : ''}`;
  const own = single('adam_scatter', shape, { bytes, flops: 17 * elements }, (trial) => {
    const { grouped, positions, params, places, n, gathered } = setting(trial, sizes);
    const initial = initialState(trial.draws, n);
    const expected = copyOf(initial);
    const dy = trial.draws.vector(gathered, -0.01, 0.01);
    const magnitudes = new Float64Array(n);
    positions.forEach((own, row) => {
      if (own.length === 0) return;
      places(row, 0).forEach(([table, , length], branch) => {
        const sum = new Float64Array(length);
        for (const position of summed ? own.slice(0, 1) : own) {
          const [, place] = places(row, position)[branch]!;
          for (let d = 0; d < length; d++) {
            sum[d]! += CLIP * dy[place + d]!;
            magnitudes[table + d]! += Math.abs(CLIP * dy[place + d]!);
          }
        }
        step(expected, table, sum, STEP + 1);
      });
    });
    const views = {
      ...bound(trial, initial, expected, magnitudes),
      ...inputs(trial),
      ...grouped,
      dy: trial.input(dy),
    };
    kernels.adamScatter(trial.plan, views, { ...params, ...threads }, { byRows, summed });
  });
  return { ...own, ...variant };
}

function normCase(sizes: Sizes): Case {
  const { rows, gmfDim, mlpDim } = sizes;
  const elements = 2 * rows * (gmfDim + mlpDim);
  const rest = hiddenLayers(sizes).reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  const bytes = 4 * (groupsLength(2 * rows) + 2 * elements + rest + NORM_THREADS);
  return single('row_norm', shapeOf(sizes), { bytes, flops: 3 * elements + 2 * rest }, (trial) => {
    const { grouped, positions, params, places, gathered } = setting(trial, sizes);
    const dy = trial.draws.vector(gathered);
    const [expected, scale] = [Float64Array.from(dy), Float64Array.from(dy, Math.abs)];
    const partial = new Float64Array(NORM_THREADS);
    positions.forEach((own, row) => {
      const [first, ...others] = own;
      if (first === undefined) return;
      places(row, first).forEach(([, to, length], branch) => {
        for (const position of others) {
          const [, place] = places(row, position)[branch]!;
          for (let d = 0; d < length; d++) {
            expected[to + d]! += dy[place + d]!;
            scale[to + d]! += Math.abs(dy[place + d]!);
          }
        }
        for (let d = 0; d < length; d++) partial[first % NORM_THREADS]! += expected[to + d]! ** 2;
      });
    });
    const others = trial.draws.vector(rest);
    others.forEach((value, i) => {
      partial[Math.floor(i / 4) % NORM_THREADS]! += value ** 2;
    });
    const views = {
      ...grouped,
      dy: trial.inPlace('dy', dy, expected, scale),
      partial: trial.output(
        'partial',
        partial,
        partial.map((sum) => sum + 1),
      ),
    };
    kernels.rowNorm(trial.plan, views, [{ ...trial.input(others), size: 4 * rest }], params);
  });
}

/** The users' table of the MLP, after stamps of its own and those of others. */
function settleCase(sizes: Sizes): Case {
  const { users, items, mlpDim } = sizes;
  const n = users * mlpDim;
  const stamped = users + items;
  return {
    kernels: ['adam_settle', 'stamp_rows'],
    shape: `${times(users, mlpDim)}, ${meanMissed(sizes)} steps missed`,
    timed: [
      { first: 0, end: 1, bytes: 4 * (users + 6 * n), flops: 14 * meanMissed(sizes) * n },
      { first: 1, end: 2, bytes: 4 * stamped },
    ],
    record(trial) {
      const { draws } = trial;
      const initial = initialState(draws, n);
      const expected = copyOf(initial);
      const stamps = drawMissed(draws, sizes, stamped).map((missed) => STEP - missed);
      for (let row = 0; row < users; row++) {
        const none = new Float64Array(mlpDim);
        for (let t = stamps[items + row]! + 1; t <= STEP; t++) step(expected, row * mlpDim, none, t);
      }
      const given = inputs(trial);
      const state = bound(trial, initial, expected);
      const others = draws.ids(4 * stamped, STEP);
      const withStamps = (of: (row: number) => number) =>
        others.map((word, i) => (i % 4 === 0 ? of(i / 4) : word)) as Uint32Array<ArrayBuffer>;
      const slots = trial.inPlace(
        'slots',
        withStamps((row) => stamps[row]!),
        withStamps(() => STEP),
      );
      kernels.adamSettle(trial.plan, { ...state, ...given, slots }, { rows: users, dim: mlpDim / 4, slot: items });
      kernels.stampRows(trial.plan, { step: given.step, slots }, stamped);
    },
  };
}
