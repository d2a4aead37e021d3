import type { Clock } from '../autograd/clock.ts';
import { inBatchSoftmax, type SoftmaxOptions } from '../autograd/ops/in-batch-softmax.ts';
import type { DropoutSource } from '../models/layers.ts';
import type { Model } from '../models/model.ts';
import type { RowAdam } from '../optim/row-adam.ts';
import type { Batch } from './step.ts';

export interface FusedStepOptions {
  readonly model: Model;
  /** Of the model's tables: `new DeferredAdam(model.parameters, clock, model.tables)`, or LazyAdam. */
  readonly optimizer: RowAdam;
  readonly clock: Clock;
  readonly clipNorm: number | null;
  /** Computes the gradients' norm even where nothing is clipped. */
  readonly norm?: boolean;
  readonly dropout?: DropoutSource;
  /** As in StepOptions. */
  readonly softmax?: SoftmaxOptions | undefined;
}

/**
 * Appends what trainingStep does, in half as many dispatches and with Adam touching only the batch's rows. DeferredAdam gives
 * the bits of Adam, but for the rounding of the loss and, where gradients are clipped, of their norm.
 * @returns samples f32[rows, 4] = (logit, loss, gradient of the logit, 0), or null with softmax, loss f32[1],
 *   clip f32[2] = (norm, factor) or null
 */
export function fusedStep(batch: Batch, options: FusedStepOptions) {
  const { model, optimizer, clock, clipNorm, norm, dropout, softmax } = options;
  model.parameters.zeroGrad();
  const rows = optimizer.gather(batch.users, batch.items);
  const { samples, loss } = softmax
    ? { samples: null, loss: inBatchSoftmax(model.batchLogits(rows, dropout), batch.items, softmax) }
    : model.trainingLoss(rows, batch, dropout);
  loss.backward();
  const clip = clipNorm !== null || norm ? optimizer.clipGradNorm(clipNorm) : null;
  optimizer.step();
  clock.advance(loss, clip);
  return { samples, loss, clip };
}
