import { ConfigError } from '../../errors.ts';
import * as kernels from '../../kernels/in-batch-softmax.ts';
import { sum } from '../../kernels/sum.ts';
import { tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { expectShape } from './shapes.ts';

export interface SoftmaxOptions {
  /** Logarithm of each item's share of all positives, f32[items in all]: how often it is met as another sample's item. */
  readonly logQ: Tensor;
  /** Divides the logits; default 1. */
  readonly temperature?: number;
}

/**
 * Mean softmax cross-entropy of a batch of positives, in which the items of all other samples are a user's negatives, a
 * scalar (Yi et al. 2019; TensorFlow Recommenders' Retrieval task):
 *
 *   z[r, j] = logits[r, j] / temperature − logQ[items[j]]
 *   loss = mean_r (log Σ_j e^z[r, j] − z[r, r])         over j = r and all j with another item than r's
 *
 * Popular items are more often met than others, and would be pushed down for that: hence −logQ.
 * @param logits f32[rows, rows]: of each sample's user with each sample's item
 * @param items u32[rows], each below the length of logQ
 */
export function inBatchSoftmax(logits: Tensor, items: Tensor, { logQ, temperature = 1 }: SoftmaxOptions): Tensor {
  const rows = items.size;
  expectShape('inBatchSoftmax', 'items', items, [rows]);
  expectShape('inBatchSoftmax', 'logits', logits, [rows, rows]);
  expectShape('inBatchSoftmax', 'logQ', logQ, [null]);
  if (!(temperature > 0)) throw new ConfigError(`temperature ${temperature}: a number above 0 would be right`);
  const tape = tapeOf(logits.gpu);
  const loss = tape.output([1], 'in_batch_softmax', [logits]);
  const [losses, rowValues] = [tape.scratch(rows, 'losses'), tape.scratch(4 * rows, 'rows of the softmax')];
  const inputs = { logits: logits.view, items: items.view, logQ: logQ.view, rowValues: rowValues.view };
  const size = { rows, scale: 1 / temperature };
  kernels.inBatchSoftmax(tape.plan, { ...inputs, losses: losses.view }, size);
  sum(tape.plan, losses.view, loss.view, rows, 1 / rows);
  tape.remember(loss, ({ plan, dy, gradient }) => {
    const dx = gradient(logits);
    if (dx) kernels.inBatchSoftmaxGrad(plan, { ...inputs, dy: dy.view, gradient: dx.view }, size);
  });
  return loss;
}
