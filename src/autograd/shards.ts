/** How those who want all rows of a table go through one that is split (see `cut`). */
import { rowsThatFit } from './arena.ts';
import { tensorView } from './tape.ts';
import type { Tensor } from './tensor.ts';

export interface RowRange {
  readonly first: number;
  readonly rows: number;
}

/** As few ranges of rows as lie, each, within one shard of all these tables, which are equally long. */
export function commonRanges(tables: readonly Tensor[]): RowRange[] {
  const firsts = new Set(tables.flatMap(({ shards }) => shards.map(({ first }) => first)));
  const starts = [...firsts].sort((a, b) => a - b);
  const end = tables[0]!.shape[0]!;
  return starts.map((first, i) => ({ first, rows: (starts[i + 1] ?? end) - first }));
}

/** The rows of a range that lies within one shard. */
export function rowsOf(table: Tensor, { first, rows }: RowRange): Tensor {
  const shard = table.shards.find((one) => one.first <= first && first + rows <= one.first + one.rows)!;
  const bytes = (4 * table.size) / table.shape[0]!;
  const offset = (shard.view.offset ?? 0) + bytes * (first - shard.first);
  const view = { buffer: shard.view.buffer, offset, size: bytes * rows };
  return tensorView(table.gpu, view, [rows, ...table.shape.slice(1)], { label: table.label });
}

/**
 * f of all rows of some tables, side by side, where each row of the result comes of one row of them. Where a table is split,
 * or a row becomes so wide that not all fit a binding, f gets a range of rows at a time, and the result is split.
 * @param width elements of the widest that f makes of a row
 */
export function byRanges(tables: readonly Tensor[], width: number, f: (...rows: Tensor[]) => Tensor): Tensor {
  const { gpu, shape } = tables[0]!;
  const most = rowsThatFit(width, gpu.bindingLimit);
  const ranges = commonRanges(tables).flatMap(({ first, rows }) =>
    Array.from({ length: Math.ceil(rows / most) }, (_, i) => {
      return { first: first + i * most, rows: Math.min(most, rows - i * most) };
    }),
  );
  const parts = ranges.map((range) => ({ range, y: f(...tables.map((table) => rowsOf(table, range))) }));
  const { y } = parts[0]!;
  if (parts.length === 1) return y;
  const shards = parts.map((part) => ({ ...part.range, view: part.y.view }));
  return tensorView(gpu, shards, [shape[0]!, ...y.shape.slice(1)], { label: y.label });
}
