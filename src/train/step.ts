import type { Clock } from '../autograd/clock.ts';
import { bceWithLogits } from '../autograd/ops/bce.ts';
import { inBatchSoftmax, type SoftmaxOptions } from '../autograd/ops/in-batch-softmax.ts';
import type { Targets } from '../autograd/ops/output.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { DropoutSource } from '../models/layers.ts';
import type { Model } from '../models/model.ts';
import { clipGradNorm } from '../optim/clip.ts';

/** Pairs (users[b], items[b]), both u32[rows], and what is to be predicted for them. */
export interface Batch extends Targets {
  readonly users: Tensor;
  readonly items: Tensor;
}

export interface Optimizer {
  setLearningRate(lr: number): void;
  step(clip?: Tensor): void;
}

export interface StepOptions {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly clock: Clock;
  readonly clipNorm: number | null;
  /** Computes the gradients' norm even where nothing is clipped. */
  readonly norm?: boolean;
  readonly dropout?: DropoutSource;
  /** The loss is inBatchSoftmax, of a batch of positives and a two-tower model; without it, binary cross-entropy. */
  readonly softmax?: SoftmaxOptions | undefined;
}

/**
 * Appends one training step to the tape: forward, loss, backward, clip, update, and the clock's advance.
 * @returns the tensors of the step's results, for those who want to look: logits f32[rows, 1], or f32[rows, rows] with softmax,
 *   loss f32[1],
 *   clip f32[2] = (norm, factor) or null
 */
export function trainingStep(batch: Batch, { model, optimizer, clock, clipNorm, norm, dropout, softmax }: StepOptions) {
  model.parameters.zeroGrad();
  const { users, items, labels, weights } = batch;
  const logits = (softmax ? model.batchTraining(dropout) : model.training(dropout))(users, items);
  const loss = softmax ? inBatchSoftmax(logits, items, softmax) : bceWithLogits(logits, labels, weights);
  loss.backward();
  const clip = clipNorm !== null || norm ? clipGradNorm(model.parameters, clipNorm) : null;
  optimizer.step(clip ?? undefined);
  clock.advance(loss, clip);
  return { logits, loss, clip };
}
