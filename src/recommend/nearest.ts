import { embedding } from '../autograd/ops/embedding.ts';
import { byRanges, commonRanges, rowsOf } from '../autograd/shards.ts';
import { record, type Tape, tensor, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { keepTop, readTopItems, type TopItems } from '../evaluate/top-items.ts';
import type { Gpu } from '../gpu/device.ts';
import { maskSeen } from '../kernels/catalogue.ts';
import { normalize } from '../kernels/normalize.ts';
import { pairScores } from '../kernels/pairs.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';

/**
 * The k other rows of a table that point most nearly where one of them does: cosines, largest first, ties by the lower row.
 *
 *   cosine(r, s) = x_r · x_s / (|x_r| |x_s|), and 0 for rows of zeros
 *
 * @param table appends what makes the table, f32[rows, dim]
 * @returns the rows as `items`, their cosines as `logits`
 */
export async function nearestRows(gpu: Gpu, table: () => Tensor, row: number, k: number): Promise<TopItems> {
  let best!: Tensor;
  let made!: Tape;
  const plan = record(gpu, 'nearest rows', (tape) => {
    made = tape;
    const x = table();
    const [rows, dim] = x.shape as [number, number];
    const ids = (values: number[]) => tensor(gpu, Uint32Array.from(values));
    const y = byRanges([x], dim, (some) => {
      const one = zeros(gpu, some.shape, { label: 'rows of length one' });
      normalize(tape.plan, some.view, one.view, { rows: some.shape[0]!, dim });
      return one;
    });
    const asked = embedding({ table: y, ids: ids([row]) });
    const step = ids([0]).view;
    const keys = zeros(gpu, [rows], { dtype: 'u32', label: 'cosines' }).view;
    const [ones, bias] = [tensor(gpu, new Float32Array(dim).fill(1)).view, zeros(gpu, [1]).view];
    const block = { users: 1, items: rows, firstItem: 0, tested: 1 };
    for (const range of commonRanges([y])) {
      const own = { ...keys, offset: 4 * range.first, size: 4 * range.rows };
      const views = { step, p: asked.view, q: rowsOf(y, range).view, h: ones, bias, keys: own };
      pairScores(tape.plan, views, { ...block, items: range.rows }, { allItems: range.rows, dim, units: 0 });
    }
    const itself = { offsets: ids([0, 1]).view, seenItems: ids([row]).view, heldOut: ids([NO_CANDIDATE]).view };
    maskSeen(tape.plan, { step, ...itself, keys }, block);
    best = keepTop(tape.plan, step, keys, block, k);
  });
  plan.run();
  return readTopItems(await best.data().finally(() => made.dispose()), k);
}
