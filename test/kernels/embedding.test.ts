import { describe, expect, it } from 'vitest';
import { defineKernel } from '../../src/gpu/kernel.ts';
import { gather } from '../../src/kernels/gather.ts';
import { groupByRow } from '../../src/kernels/group.ts';
import { scatterAdd } from '../../src/kernels/scatter-add.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose, sameBits } from '../numbers.ts';
import { absolute } from '../reference/elementwise.ts';
import * as reference from '../reference/embedding.ts';

const on = useGpu();
const draws = new Draws(1);

/** [what the ids are like, ids, rows of the table] */
const BATCHES: [string, Uint32Array<ArrayBuffer>, number][] = [
  ['one id', Uint32Array.of(0), 1],
  ['first and last row', Uint32Array.of(256, 0, 256, 0, 256, 0, 0), 257],
  ['random ids', draws.ids(300, 65), 65],
  ['a table larger than the batch', draws.ids(33, 1000), 1000],
  [
    'segments around the limit of insertion sort',
    Uint32Array.from({ length: 72 }, (_, p) => (p < 25 ? 2 : p < 49 ? 0 : 1)),
    3,
  ],
  ['one popular item among others', Uint32Array.from(draws.ids(999, 50), (id, p) => (p % 3 ? 7 : id)), 50],
];

describe.each(BATCHES)('%s', (_, ids, vocabulary) => {
  it.each([1, 3, 8, 9, 33])('gather looks up rows of %i columns', async (dim) => {
    const table = draws.normal(vocabulary * dim);
    const trial = new Trial(on.gpu);
    const out = trial.f32('out', ids.length * dim);
    const columns = { dim, width: dim, column: 0 };
    gather(trial.plan, trial.input(table), trial.input(ids), out.view, ids.length, columns);
    trial.plan.run();
    expect([...(await out.data())]).toEqual([...reference.gather(table, ids, dim)]);
  });

  it.each([1, 3, 8, 9, 33])('scatter_add sums the gradients of each of its rows of %i columns', async (dim) => {
    const dy = draws.normal(ids.length * dim);
    const { out } = await scatter(dy, ids, vocabulary, { dim, width: dim, column: 0 });
    const scale = reference.scatterAdd(absolute(dy), ids, vocabulary, dim);
    expectClose(out, reference.scatterAdd(dy, ids, vocabulary, dim), { scale });
  });

  it('grouping leaves each row with its positions in order, and its counters at zero for the next step', async () => {
    const { order, segments, counts, total } = await scatter(draws.normal(ids.length), ids, vocabulary, COLUMN);
    for (let row = 0; row < vocabulary; row++) {
      const [start, count] = [segments[2 * row]!, segments[2 * row + 1]!];
      const positions = [...ids.keys()].filter((p) => ids[p] === row);
      expect([...order.slice(start, start + count)]).toEqual(positions);
    }
    expect(counts.every((count) => count === 0)).toBe(true);
    expect(total[0]).toBe(0);
  });
});

const COLUMN = { dim: 1, width: 1, column: 0 };

/** Groups and scatters `times` times over, as a training loop does. */
async function scatter(
  dy: Float32Array<ArrayBuffer>,
  ids: Uint32Array<ArrayBuffer>,
  vocabulary: number,
  columns: { dim: number; width: number; column: number },
  times = 2,
) {
  const trial = new Trial(on.gpu);
  const buffers = {
    counts: trial.inPlace('counts', new Uint32Array(vocabulary)),
    total: trial.inPlace('total', new Uint32Array(1)),
    rank: trial.u32('rank', ids.length),
    segments: trial.u32('segments', 2 * vocabulary),
    order: trial.u32('order', ids.length),
  };
  const { counts, total, rank, segments, order } = buffers;
  const views = { counts: counts.view, total: total.view, rank: rank.view, segments: segments.view, order: order.view };
  const out = trial.f32('out', vocabulary * columns.dim);
  groupByRow(trial.plan, trial.input(ids), ids.length, vocabulary, views);
  scatterAdd(trial.plan, views, trial.input(dy), out.view, vocabulary, columns);
  trial.plan.run(times);
  return {
    out: await out.data(),
    order: await order.data(),
    segments: await segments.data(),
    counts: await counts.data(),
    total: await total.data(),
  };
}

it('each row’s positions are sorted, in whatever order their threads arrived', async () => {
  // CPU adapters start threads in order, so that grouping alone never shows this kernel anything to do.
  const sort = defineKernel({
    name: 'group_sort',
    params: { vocabulary: 'u32' },
    bindings: { segments: 'read', order: 'write' },
  });
  const lengths = [2, 0, 1, 3, 23, 24, 25, 26, 64, 100, 5000];
  const starts = lengths.map((_, row) => lengths.slice(0, row).reduce((sum, length) => sum + length, 0));
  const arrivals: [string, (key: number, i: number) => number][] = [
    ['at random', (key) => key],
    ['backwards', (_, i) => 1 - i / 1e6],
    ['in order', (_, i) => i / 1e6],
  ];
  for (const [name, key] of arrivals) {
    const keys = Float64Array.from({ length: 5268 }, (_, i) => key(draws.uniform(), i));
    const arrived = [...keys.keys()].sort((a, b) => keys[a]! - keys[b]!);
    const trial = new Trial(on.gpu);
    const order = trial.inPlace('order', Uint32Array.from(arrived));
    const segments = trial.input(Uint32Array.from(lengths.flatMap((length, row) => [starts[row]!, length])));
    trial.plan.dispatch(sort, { segments, order: order.view }, { vocabulary: lengths.length }, 1);
    trial.plan.run();
    const sorted = await order.data();
    lengths.forEach((length, row) => {
      const segment = [starts[row]!, starts[row]! + length] as const;
      expect([...sorted.slice(...segment)], name).toEqual(arrived.slice(...segment).sort((a, b) => a - b));
    });
  }
});

describe('look-ups', () => {
  it('fill a range of columns of a wider matrix, and leave the others alone', async () => {
    const ids = draws.ids(33, 10);
    const [left, right] = [draws.normal(10 * 3), draws.normal(10 * 6)];
    const trial = new Trial(on.gpu);
    const out = trial.inPlace('out', new Float32Array(33 * 9).fill(-1));
    const view = trial.input(ids);
    gather(trial.plan, trial.input(right), view, out.view, 33, { dim: 6, width: 9, column: 3 });
    trial.plan.run();
    const half = await out.data();
    expect([...half.filter((_, i) => i % 9 < 3)]).toEqual(Array(33 * 3).fill(-1));
    gather(trial.plan, trial.input(left), view, out.view, 33, { dim: 3, width: 9, column: 0 });
    trial.plan.run();
    const whole = await out.data();
    expect([...whole.filter((_, i) => i % 9 < 3)]).toEqual([...reference.gather(left, ids, 3)]);
    expect([...whole.filter((_, i) => i % 9 >= 3)]).toEqual([...reference.gather(right, ids, 6)]);
  });

  it('get their gradient from their own columns', async () => {
    const ids = draws.ids(100, 7);
    const dy = draws.normal(100 * 9);
    const { out } = await scatter(dy, ids, 7, { dim: 5, width: 9, column: 3 });
    const own = dy.filter((_, i) => i % 9 >= 3 && i % 9 < 8);
    const scale = reference.scatterAdd(absolute(own), ids, 7, 5);
    expectClose(out, reference.scatterAdd(own, ids, 7, 5), { scale });
  });

  it('of 5,000 equal ids are summed in the order of their positions, the same bits each time', async () => {
    const [ids, dy] = [new Uint32Array(5000).fill(2), draws.normal(5000 * 3)];
    const runs: Float32Array<ArrayBuffer>[] = [];
    for (let run = 0; run < 5; run++) runs.push((await scatter(dy, ids, 4, { dim: 3, width: 3, column: 0 }, 1)).out);
    expect(runs.every((out) => sameBits(out, runs[0]!))).toBe(true);
    const inOrder = [0, 1, 2].map((d) =>
      dy.reduce((sum, value, i) => (i % 3 === d ? Math.fround(sum + value) : sum), 0),
    );
    expect([...runs[0]!.slice(6, 9)]).toEqual(inOrder);
  });

  it('of popular and rare ids in a large batch have the same gradient bits in every replay', async () => {
    const ids = Uint32Array.from({ length: 3000 }, () => Math.floor(200 * draws.uniform() ** 3));
    const dy = draws.normal(3000 * 8);
    const columns = { dim: 8, width: 8, column: 0 };
    const runs: Float32Array<ArrayBuffer>[] = [];
    for (const times of [1, 1, 2, 3, 1]) runs.push((await scatter(dy, ids, 200, columns, times)).out);
    expect(runs.every((out) => sameBits(out, runs[0]!))).toBe(true);
  });

  it('of nothing dispatch no gather, and their gradient is all zeros', async () => {
    const trial = new Trial(on.gpu);
    const view = trial.input([1]);
    gather(trial.plan, view, view, view, 0, COLUMN);
    expect(trial.plan.dispatches).toEqual([]);
    const { out } = await scatter(new Float32Array(0), new Uint32Array(0), 9, { dim: 5, width: 5, column: 0 });
    expect([...out]).toEqual(Array(45).fill(0));
  });
});
