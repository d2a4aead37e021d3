import { gather } from '../../../src/kernels/gather.ts';
import { type GroupBuffers, groupByRow } from '../../../src/kernels/group.ts';
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
  const work = { bytes: 4 * (2 * vocabulary + rows + rows * dim + vocabulary * dim), flops: rows * dim };
  return single('scatter_add', `${times(rows)} into ${times(vocabulary, dim)}`, work, (trial) => {
    const [drawn, dy] = [ids(trial), trial.draws.vector(rows * dim)];
    const positions = positionsByRow(drawn, vocabulary);
    let start = 0;
    const segments = positions.flatMap(({ length }) => {
      start += length;
      return [start - length, length];
    });
    const groups = {
      segments: trial.input(Uint32Array.from(segments)),
      order: trial.input(Uint32Array.from(positions.flat())),
    };
    const expected = reference.scatterAdd(dy, drawn, vocabulary, dim);
    const out = trial.output('out', expected, reference.scatterAdd(absolute(dy), drawn, vocabulary, dim));
    scatterAdd(trial.plan, groups, trial.input(dy), out, vocabulary, { dim, width: dim, column: 0 });
  });
}

/**
 * group_place uses up the counts and group_sort the disorder, so each is timed with the kernel that makes them anew;
 * group_count's counts merely grow, and group_fill writes the same again.
 */
function groupCase(rows: number, { vocabulary, ids }: Table): Case {
  const [counts, segments] = [4 * vocabulary, 8 * vocabulary];
  return {
    kernels: ['group_count', 'group_place', 'group_fill', 'group_sort'],
    shape: `${times(rows)} into ${times(vocabulary)}`,
    timed: [
      { first: 0, end: 4, bytes: 4 * rows + segments + 4 * rows },
      { first: 0, end: 1, bytes: 8 * rows + 2 * counts },
      { first: 0, end: 2, bytes: 8 * rows + 2 * counts + segments },
      { first: 2, end: 3, bytes: 12 * rows + segments },
      { first: 2, end: 4, bytes: 12 * rows + segments },
    ],
    record(trial) {
      const drawn = ids(trial);
      const zeros = (length: number) => new Uint32Array(length);
      const buffers = {
        counts: trial.inPlace('counts', zeros(vocabulary), zeros(vocabulary)),
        total: trial.inPlace('total', zeros(1), zeros(1)),
        rank: trial.scratch(rows),
        segments: trial.scratch(2 * vocabulary),
        order: trial.scratch(rows),
      } satisfies GroupBuffers;
      groupByRow(trial.plan, trial.input(drawn), rows, vocabulary, buffers);
      // Which part of `order` a row gets is left open: the reference compares the parts, row by row.
      const inRowOrder = async () => {
        const [segments, order] = [await trial.integers(buffers.segments), await trial.integers(buffers.order)];
        const part = (row: number) => {
          const [start, count] = [segments[2 * row]!, segments[2 * row + 1]!];
          return [count, ...order.subarray(start, start + count)];
        };
        return Array.from({ length: vocabulary }, (_, row) => part(row)).flat();
      };
      const expected = positionsByRow(drawn, vocabulary).flatMap((positions) => [positions.length, ...positions]);
      trial.expect('order, row by row', inRowOrder, expected);
    },
  };
}
