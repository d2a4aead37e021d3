import { ConfigError } from '../../errors.ts';
import { type Columns, gather } from '../../kernels/gather.ts';
import { groupByRow, groupsLength } from '../../kernels/group.ts';
import type { View } from '../../kernels/launch.ts';
import { scatterAdd } from '../../kernels/scatter-add.ts';
import { tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { expectShape } from './shapes.ts';

/** One look-up: rows `ids` (u32[rows], each below the table's length) of `table` (f32[vocabulary, dim]). */
export interface Lookup {
  readonly table: Tensor;
  readonly ids: Tensor;
}

/**
 * Rows of embedding tables (torch.nn.functional.embedding); several look-ups stand side by side in the result,
 * f32[rows, Σ dim]. The gradient of a table is dense and the same bits every run. Ids are not checked on the device:
 * they come from the sampler or from data that was checked when it was read.
 */
export function embedding(...lookups: readonly [Lookup, ...Lookup[]]): Tensor {
  const rows = lookups[0].ids.size;
  for (const { table, ids } of lookups) {
    expectShape('embedding', 'ids', ids, [rows]);
    expectShape('embedding', 'table', table, [null, null]);
    if (ids.dtype !== 'u32') {
      throw new ConfigError(
        `embedding: ids hold ${ids.dtype}, and it takes u32; a tensor of a Uint32Array would be right`,
      );
    }
  }
  const tape = tapeOf(lookups[0].table.gpu);
  const dims = lookups.map(({ table }) => table.shape[1]!);
  const width = dims.reduce((sum, dim) => sum + dim, 0);
  const columnsOf = (i: number): Columns => ({
    dim: dims[i]!,
    width,
    column: dims.slice(0, i).reduce((sum, dim) => sum + dim, 0),
  });
  const tables = lookups.map(({ table }) => table);
  const out = tape.output([rows, width], 'embedding', tables);
  lookups.forEach(({ table, ids }, i) => {
    gather(tape.plan, table.shards, ids.view, out.view, rows, columnsOf(i));
  });

  tape.remember(out, ({ plan, dy, gradient, shared }) => {
    lookups.forEach(({ table, ids }, i) => {
      const dtable = gradient(table);
      if (!dtable) return;
      const vocabulary = table.shape[0]!;
      const grouped = shared(ids, () => new Map<number, Record<'groups' | 'slots', View>>()); // by length of the table
      if (!grouped.has(vocabulary)) {
        const buffer = (length: number, name: string) => tape.scratch(length, `${ids.label} ${name}`).view;
        const buffers = {
          head: buffer(vocabulary, 'heads'),
          next: buffer(rows, 'next'),
          groups: buffer(groupsLength(rows), 'groups'),
          total: buffer(1, 'total'),
          slots: buffer(4 * vocabulary, 'slots'),
        };
        // Slots note a step, which here nobody reads.
        const any = ids.view;
        groupByRow(plan, { left: ids.view, right: ids.view, n: rows, split: rows, offset: 0 }, buffers, any);
        grouped.set(vocabulary, buffers);
      }
      const { groups, slots } = grouped.get(vocabulary)!;
      scatterAdd(plan, { groups, slots, dy: dy.view }, dtable.shards, rows, columnsOf(i));
    });
  });
  return out;
}
