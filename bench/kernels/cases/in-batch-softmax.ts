import { inBatchSoftmax, inBatchSoftmaxGrad } from '../../../src/kernels/in-batch-softmax.ts';
import { fromIndex } from '../../../test/reference/elementwise.ts';
import * as reference from '../../../test/reference/in-batch-softmax.ts';
import { type Case, type Sizes, times } from '../case.ts';

/** Its logits grow with the square of the batch: larger ones are no batches for it. */
const MOST_ROWS = 2048;

/** The softmax loss of a two-tower model's batch, and its gradient. */
export function inBatchSoftmaxCases({ rows: batch, items: vocabulary }: Sizes): Case[] {
  const rows = Math.min(batch, MOST_ROWS);
  const n = rows * rows;
  const size = { rows, scale: 2 };
  const timed = [
    { first: 0, end: 1, bytes: 4 * (n + 7 * rows), flops: 6 * n },
    { first: 1, end: 2, bytes: 4 * (2 * n + 6 * rows), flops: 5 * n },
  ];
  const record: Case['record'] = (trial) => {
    const { draws } = trial;
    const [logits, logQ, items] = [draws.vector(n), draws.vector(vocabulary, -9, -3), draws.ids(rows, vocabulary)];
    const batch = { items, logQ, scale: size.scale };
    const losses = reference.inBatchSoftmaxLosses(logits, batch);
    const gradient = reference.inBatchSoftmaxGradient(logits, batch);
    const one = fromIndex(n, () => size.scale / rows);
    const inputs = { logits: trial.input(logits), items: trial.input(items), logQ: trial.input(logQ) };
    const rowValues = trial.scratch(4 * rows);
    const loss = trial.output(
      'losses',
      losses,
      losses.map((value) => value + 1),
    );
    inBatchSoftmax(trial.plan, { ...inputs, rowValues, losses: loss }, size);
    const dy = trial.input(Float32Array.of(1));
    inBatchSoftmaxGrad(
      trial.plan,
      { ...inputs, rowValues, dy, gradient: trial.output('gradient', gradient, one) },
      size,
    );
  };
  return [{ kernels: ['in_batch_softmax', 'in_batch_softmax_grad'], shape: times(rows, rows), timed, record }];
}
