import { gather } from '../../../src/kernels/gather.ts';
import { groupByRow, groupsLength } from '../../../src/kernels/group.ts';
import { unsplit } from '../../../src/kernels/launch.ts';
import { scatterAdd } from '../../../src/kernels/scatter-add.ts';
import { absolute } from '../../../test/reference/elementwise.ts';
import * as reference from '../../../test/reference/embedding.ts';
import { type Case, type Sizes, single, times } from '../case.ts';
import { positionsByRow } from '../reference.ts';
import type { Trial } from '../trial.ts';

/** Look-ups, their gradients, and the grouping of a batch's ids that the gradients stand on. */
export function embeddingCases({ rows, users, items, gmfDim, mlpDim }: Sizes): Case[] {
  const item = { vocabulary: items, ids: (trial: Trial) => trial.draws.popular(rows, items) };
  const user = { vocabulary: users, ids: (trial: Trial) => trial.draws.ids(rows, users) };
  return [
    gatherCase(rows, gmfDim, item),
    gatherCase(rows, mlpDim, user),
    groupCase(rows, item),
    scatterCase(rows, gmfDim, item),
    scatterCase(rows, mlpDim, user),
  ];
}

interface Table {
  readonly vocabulary: number;
  readonly ids: (trial: Trial) => Uint32Array<ArrayBuffer>;
}

function gatherCase(rows: number, dim: number, { vocabulary, ids }: Table): Case {
  const shape = `${times(rows)} of ${times(vocabulary, dim)}`;
  return single('gather', shape, { bytes: 4 * rows * (1 + 2 * dim) }, (trial) => {
    const [drawn, table] = [ids(trial), trial.draws.vector(vocabulary * dim)];
    const out = trial.output('out', reference.gather(table, drawn, dim));
    gather(trial.plan, unsplit(vocabulary, trial.input(table)), trial.input(drawn), out, rows, {
      dim,
      width: dim,
      column: 0,
    });
  });
}

function scatterCase(rows: number, dim: number, { vocabulary, ids }: Table): Case {
  const bytes = 4 * (5 * rows + rows * dim + vocabulary * dim);
  const timed = [{ first: 0, end: 2, bytes, flops: rows * dim }];
  const shape = `${times(rows)} into ${times(vocabulary, dim)}`;
  return {
    kernels: ['zero', 'scatter_add'],
    shape,
    timed,
    record(trial) {
      const [drawn, dy] = [ids(trial), trial.draws.vector(rows * dim)];
      const { groups, slots } = groupsOf(positionsByRow(drawn, vocabulary), rows);
      const expected = reference.scatterAdd(dy, drawn, vocabulary, dim);
      const out = trial.output('out', expected, reference.scatterAdd(absolute(dy), drawn, vocabulary, dim));
      const columns = { dim, width: dim, column: 0 };
      const views = { groups: trial.input(groups), slots: trial.input(slots), dy: trial.input(dy) };
      scatterAdd(trial.plan, views, unsplit(vocabulary, out), rows, columns);
    },
  };
}

/**
 * What group_link and group_sort make of a batch's positions.
 * @param step at which it is drawn, and for each row the one before at which it was
 */
export function groupsOf(positions: readonly (readonly number[])[], n: number, step = 0, stamps?: Uint32Array) {
  const [groups, slots] = [new Uint32Array(groupsLength(n)), new Uint32Array(4 * positions.length)];
  let start = n;
  positions.forEach((own, row) => {
    if (own.length === 0) return;
    groups[own[0]!] = row + 1;
    groups.set(own, start);
    slots.set([step + 1, start, own.length, stamps?.[row] ?? 0], 4 * row);
    start += own.length;
  });
  return { groups, slots };
}

/** The two kernels stand only together: group_sort uses up the lists that group_link makes. */
function groupCase(rows: number, { vocabulary, ids }: Table): Case {
  return {
    kernels: ['group_link', 'group_sort'],
    shape: `${times(rows)} into ${times(vocabulary)}`,
    timed: [{ first: 0, end: 2, bytes: 4 * (5 * rows + groupsLength(rows)) }],
    record(trial) {
      const drawn = ids(trial);
      const { groups, slots } = group(trial, drawn, vocabulary);
      // Which part of `groups` a row gets is left open: the reference compares the parts, row by row.
      const byRow = async () => {
        const [words, all] = [await trial.integers(groups), await trial.integers(slots)];
        const parts = new Map<number, number[]>();
        for (const key of words.subarray(0, rows)) {
          if (key === 0) continue;
          const [start, count] = [all[4 * key - 3]!, all[4 * key - 2]!];
          parts.set(key - 1, [...words.subarray(start, start + count)]);
        }
        return Array.from({ length: vocabulary }, (_, row) => [
          parts.get(row)?.length ?? 0,
          ...(parts.get(row) ?? []),
        ]).flat();
      };
      const expected = positionsByRow(drawn, vocabulary).flatMap((positions) => [positions.length, ...positions]);
      trial.expect('positions, row by row', byRow, expected);
    },
  };
}

function group(trial: Trial, drawn: Uint32Array<ArrayBuffer>, vocabulary: number) {
  const n = drawn.length;
  const zeros = (length: number) => new Uint32Array(length);
  const [groups, slots] = [trial.scratch(groupsLength(n)), trial.scratch(4 * vocabulary)];
  const left = trial.input(drawn);
  groupByRow(
    trial.plan,
    { left, right: left, n, split: n, offset: 0 },
    {
      head: trial.inPlace('head', zeros(vocabulary), zeros(vocabulary)),
      next: trial.scratch(n),
      groups,
      total: trial.scratch(1),
      slots,
    },
    trial.input(Uint32Array.of(0)),
  );
  return { groups, slots };
}
