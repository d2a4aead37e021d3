import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gather } from '../../src/kernels/gather.ts';
import { groupByRow, groupSort, groupsLength } from '../../src/kernels/group.ts';
import { unsplit } from '../../src/kernels/launch.ts';
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
    gather(trial.plan, unsplit(vocabulary, trial.input(table)), trial.input(ids), out.view, ids.length, columns);
    trial.plan.run();
    expect([...(await out.data())]).toEqual([...reference.gather(table, ids, dim)]);
  });

  it.each([1, 3, 8, 9, 33])('scatter_add sums the gradients of each of its rows of %i columns', async (dim) => {
    const dy = draws.normal(ids.length * dim);
    const { out } = await scatter(dy, ids, vocabulary, { dim, width: dim, column: 0 });
    const scale = reference.scatterAdd(absolute(dy), ids, vocabulary, dim);
    expectClose(out, reference.scatterAdd(dy, ids, vocabulary, dim), { scale });
  });

  it('grouping leaves each row with its positions in order, and its heads at zero for the next step', async () => {
    const { groups, slots, head } = await scatter(draws.normal(ids.length), ids, vocabulary, COLUMN);
    expect(positionsByRow(groups, slots, ids.length)).toEqual(expectedRows([...ids]));
    expect(head.every((position) => position === 0)).toBe(true);
  });
});

const COLUMN = { dim: 1, width: 1, column: 0 };

/** Groups and scatters `times` times over, as a training loop does. @param most rows of a shard */
async function scatter(
  dy: Float32Array<ArrayBuffer>,
  ids: Uint32Array<ArrayBuffer>,
  vocabulary: number,
  columns: { dim: number; width: number; column: number },
  times = 2,
  most = vocabulary,
) {
  const trial = new Trial(on.gpu);
  const n = ids.length;
  const buffers = {
    head: trial.inPlace('head', new Uint32Array(vocabulary)),
    next: trial.u32('next', n),
    groups: trial.u32('groups', groupsLength(n)),
    total: trial.inPlace('total', new Uint32Array(1)),
    slots: trial.inPlace('slots', new Uint32Array(4 * vocabulary).fill(UNSET)),
  };
  const { head, next, groups, total, slots } = buffers;
  const views = { head: head.view, next: next.view, groups: groups.view, total: total.view, slots: slots.view };
  const shards = Array.from({ length: Math.ceil(vocabulary / most) }, (_, i) => {
    const rows = Math.min(most, vocabulary - i * most);
    return { first: i * most, rows, out: trial.f32('out', rows * columns.dim) };
  });
  const out = shards.map((shard) => ({ ...shard, view: shard.out.view }));
  const left = trial.input(ids);
  const step = trial.input(Uint32Array.of(6));
  groupByRow(trial.plan, { left, right: left, n, split: n, offset: 0 }, views, step);
  scatterAdd(trial.plan, { ...views, dy: trial.input(dy) }, out, n, columns);
  trial.plan.run(times);
  await next.data();
  const parts = await Promise.all(shards.map((shard) => shard.out.data()));
  const joined = new Float32Array(await new Blob(parts).arrayBuffer());
  return { out: joined, groups: await groups.data(), slots: await slots.data(), head: await head.data() };
}

/** Stands in slots' words that nothing writes. */
const UNSET = 0xdeadbeef;

/** Each row's positions, by the row's first position. */
function positionsByRow(groups: Uint32Array, slots: Uint32Array, n: number): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (let p = 0; p < n; p++) {
    if (groups[p] === 0) continue;
    const row = groups[p]! - 1;
    const [start, count] = [slots[4 * row + 1]!, slots[4 * row + 2]!];
    const positions = [...groups.subarray(start, start + count)];
    expect(positions[0]).toBe(p);
    rows.set(row, positions);
  }
  return rows;
}

function expectedRows(rows: readonly number[]): Map<number, number[]> {
  const positions = new Map<number, number[]>();
  rows.forEach((row, p) => {
    positions.set(row, [...(positions.get(row) ?? []), p]);
  });
  return positions;
}

it('whatever the ids and columns are, scatter_add is the product with the one-hot matrix of the ids', async () => {
  // Whole numbers have exact sums, so that the two are equal.
  const batch = fc
    .record({
      vocabulary: fc.integer({ min: 1, max: 40 }),
      dim: fc.integer({ min: 1, max: 12 }),
      column: fc.nat(5),
      rest: fc.nat(5),
      seeds: fc.array(fc.tuple(fc.nat(), fc.integer({ min: -9, max: 9 })), { maxLength: 150 }),
    })
    .map(({ vocabulary, dim, column, rest, seeds }) => ({
      vocabulary,
      columns: { dim, column, width: column + dim + rest },
      ids: Uint32Array.from(seeds, ([seed]) => seed % vocabulary),
      rows: seeds.map(([, value]) => value),
    }));
  const property = fc.asyncProperty(batch, async ({ vocabulary, columns, ids, rows }) => {
    const { dim, width, column } = columns;
    const dy = rows.map((value) => Array.from({ length: width }, (_, c) => value * (c + 1) - c));
    // [vocabulary, batch] · [batch, dim]
    const oneHot = Array.from({ length: vocabulary }, (_, row) => Array.from(ids, (id) => Number(id === row)));
    const product = oneHot.flatMap((hot) =>
      Array.from({ length: dim }, (_, d) => hot.reduce((sum, h, p) => sum + h * dy[p]![column + d]!, 0)),
    );
    const { out } = await scatter(Float32Array.from(dy.flat()), ids, vocabulary, columns, 1);
    expect([...out]).toEqual(product);
  });
  await fc.assert(property, { seed: 1, numRuns: 40 });
});

it('users and items are grouped together, items’ rows behind the users’', async () => {
  const [users, items] = [draws.ids(100, 7), draws.ids(100, 5)];
  const trial = new Trial(on.gpu);
  const groups = trial.u32('groups', groupsLength(200));
  const slots = trial.inPlace(
    'slots',
    Uint32Array.from({ length: 48 }, (_, i) => 100 + i),
  );
  const buffers = {
    head: trial.inPlace('head', new Uint32Array(12)).view,
    next: trial.u32('next', 200).view,
    groups: groups.view,
    total: trial.inPlace('total', new Uint32Array(1)).view,
    slots: slots.view,
  };
  const ids = { left: trial.input(users), right: trial.input(items), n: 200, split: 100, offset: 7 };
  groupByRow(trial.plan, ids, buffers, trial.input(Uint32Array.of(500)));
  trial.plan.run();
  const after = await slots.data();
  const rows = positionsByRow(await groups.data(), after, 200);
  expect(rows).toEqual(expectedRows([...users, ...items.map((item) => 7 + item)]));
  // A row's slot has this step and the one that stood there before; that of a row that does not occur is left alone.
  for (let row = 0; row < 12; row++) {
    const slot = [...after.subarray(4 * row, 4 * row + 4)];
    const before = [0, 1, 2, 3].map((word) => 100 + 4 * row + word);
    if (rows.has(row)) expect([slot[0], slot[3]]).toEqual([501, before[0]]);
    else expect(slot).toEqual(before);
  }
});

it('each row’s positions are sorted, in whatever order their threads arrived', async () => {
  // CPU adapters start threads in order, so that grouping alone never shows this kernel anything to do.
  const lengths = [2, 0, 1, 3, 23, 24, 25, 26, 64, 100, 5000];
  const ids = Uint32Array.from(lengths.flatMap((length, row) => Array<number>(length).fill(row)));
  const n = ids.length;
  const arrivals: [string, (p: number) => number][] = [
    ['at random', () => draws.uniform()],
    ['backwards', (p) => -p],
    ['in order', (p) => p],
  ];
  for (const [name, key] of arrivals) {
    const keys = Array.from({ length: n }, (_, p) => key(p));
    const arrived = [...keys.keys()].sort((a, b) => keys[a]! - keys[b]!);
    // What group_link makes of that order.
    const [head, next] = [new Uint32Array(lengths.length), new Uint32Array(n)];
    for (const p of arrived) {
      next[p] = head[ids[p]!]!;
      head[ids[p]!] = p + 1;
    }
    const trial = new Trial(on.gpu);
    const groups = trial.inPlace('groups', new Uint32Array(groupsLength(n)));
    const slots = trial.inPlace('slots', new Uint32Array(4 * lengths.length));
    const left = trial.input(ids);
    const views = {
      left,
      right: left,
      head: trial.inPlace('head', head).view,
      next: trial.input(next),
      groups: groups.view,
      total: trial.inPlace('total', new Uint32Array(1)).view,
      step: left,
      slots: slots.view,
    };
    trial.plan.dispatch(groupSort, views, { n, split: n, offset: 0 }, Math.ceil(n / 64));
    trial.plan.run();
    expect(positionsByRow(await groups.data(), await slots.data(), n), name).toEqual(expectedRows([...ids]));
  }
});

describe('look-ups', () => {
  it('fill a range of columns of a wider matrix, and leave the others alone', async () => {
    const ids = draws.ids(33, 10);
    const [left, right] = [draws.normal(10 * 3), draws.normal(10 * 6)];
    const trial = new Trial(on.gpu);
    const out = trial.inPlace('out', new Float32Array(33 * 9).fill(-1));
    const view = trial.input(ids);
    gather(trial.plan, unsplit(10, trial.input(right)), view, out.view, 33, { dim: 6, width: 9, column: 3 });
    trial.plan.run();
    const half = await out.data();
    expect([...half.filter((_, i) => i % 9 < 3)]).toEqual(Array(33 * 3).fill(-1));
    gather(trial.plan, unsplit(10, trial.input(left)), view, out.view, 33, { dim: 3, width: 9, column: 0 });
    trial.plan.run();
    const whole = await out.data();
    expect([...whole.filter((_, i) => i % 9 < 3)]).toEqual([...reference.gather(left, ids, 3)]);
    expect([...whole.filter((_, i) => i % 9 >= 3)]).toEqual([...reference.gather(right, ids, 6)]);
  });

  it('of a table in three shards give the same bits, and so does its gradient', async () => {
    const ids = Uint32Array.from([...draws.ids(300, 150), 0, 63, 64, 127, 128, 149]);
    const [table, dy] = [draws.normal(150 * 6), draws.normal(ids.length * 6)];
    const trial = new Trial(on.gpu);
    const columns = { dim: 6, width: 6, column: 0 };
    const shards = [0, 64, 128].map((first) => {
      const rows = Math.min(64, 150 - first);
      return { first, rows, view: trial.input(table.subarray(6 * first, 6 * (first + rows))) };
    });
    const out = trial.f32('out', ids.length * 6);
    gather(trial.plan, shards, trial.input(ids), out.view, ids.length, columns);
    trial.plan.run();
    expect([...(await out.data())]).toEqual([...reference.gather(table, ids, 6)]);
    const whole = await scatter(dy, ids, 150, columns);
    const split = await scatter(dy, ids, 150, columns, 2, 64);
    expect(sameBits(split.out, whole.out)).toBe(true);
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
    gather(trial.plan, unsplit(1, view), view, view, 0, COLUMN);
    expect(trial.plan.dispatches).toEqual([]);
    const { out } = await scatter(new Float32Array(0), new Uint32Array(0), 9, { dim: 5, width: 5, column: 0 });
    expect([...out]).toEqual(Array(45).fill(0));
  });
});
