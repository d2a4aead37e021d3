import { gather } from '../../../src/kernels/gather.ts';
import { groupByRow, groupsLength } from '../../../src/kernels/group.ts';
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
    gather(trial.plan, trial.input(table), trial.input(drawn), out, rows, { dim, width: dim, column: 0 });
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
      const groups = trial.input(groupsOf(positionsByRow(drawn, vocabulary), rows));
      const expected = reference.scatterAdd(dy, drawn, vocabulary, dim);
      const out = trial.output('out', expected, reference.scatterAdd(absolute(dy), drawn, vocabulary, dim));
      const columns = { dim, width: dim, column: 0 };
      scatterAdd(trial.plan, { groups, dy: trial.input(dy), out }, rows, vocabulary, columns);
    },
  };
}

/** What group_link and group_sort make of them. */
export function groupsOf(positions: readonly (readonly number[])[], n: number): Uint32Array<ArrayBuffer> {
  const groups = new Uint32Array(groupsLength(n));
  let start = 4 * n;
  positions.forEach((own, row) => {
    if (own.length === 0) return;
    groups.set([row, start, own.length], 4 * own[0]!);
    groups.set(own, start);
    start += own.length;
  });
  return groups;
}

/** The two kernels stand only together: group_sort uses up the lists that group_link makes. */
function groupCase(rows: number, { vocabulary, ids }: Table): Case {
  return {
    kernels: ['group_link', 'group_sort'],
    shape: `${times(rows)} into ${times(vocabulary)}`,
    timed: [{ first: 0, end: 2, bytes: 4 * (rows + groupsLength(rows)) }],
    record(trial) {
      const drawn = ids(trial);
      const groups = group(trial, drawn, vocabulary);
      // Which part of `groups` a row gets is left open: the reference compares the parts, row by row.
      const byRow = async () => {
        const words = await trial.integers(groups);
        const parts = new Map<number, number[]>();
        for (let slot = 0; slot < 4 * rows; slot += 4) {
          const [row, start, count] = [words[slot]!, words[slot + 1]!, words[slot + 2]!];
          if (count > 0) parts.set(row, [...words.subarray(start, start + count)]);
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
  const groups = trial.scratch(groupsLength(n));
  const left = trial.input(drawn);
  groupByRow(
    trial.plan,
    { left, right: left, n, split: n, offset: 0 },
    {
      head: trial.inPlace('head', zeros(vocabulary), zeros(vocabulary)),
      next: trial.scratch(n),
      groups,
      total: trial.scratch(1),
    },
  );
  return groups;
}
