import { isTrained } from '../autograd/parameters.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { NonFiniteError } from '../errors.ts';
import type { StoredTensor } from '../models/safetensors.ts';
import { nonFinite } from '../models/weights.ts';
import { RowAdam } from '../optim/row-adam.ts';
import { bestEpoch, type EpochEvent, type RecoveredEvent } from './history.ts';
import type { Trainer } from './trainer.ts';

/** Everything that training goes on from, in CPU memory. */
export interface TrainerState {
  /** Training steps done. */
  readonly step: number;
  readonly history: readonly EpochEvent[];
  readonly rewinds: readonly RecoveredEvent[];
  /**
   * Weights under PyTorch's names, the optimizer's state of each and the epoch's losses so far. Where validation items
   * choose the best epoch, PyTorch's names stand for its weights, which are those to use, and `trainer.last.…` for those
   * to train on from.
   */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

export const LOSSES = 'trainer.losses';
const LAST = 'trainer.last.';

/**
 * Throws NonFiniteError when a weight or the optimizer's state of one is infinite or not a number, and what broke an epoch
 * off, whose weights are no step's: there is nothing to go on from.
 */
export async function readState(trainer: Trainer): Promise<TrainerState> {
  trainer.check();
  trainer.settle();
  const { best, last } = await trainer.weights.both();
  const tensors = new Map(best);
  for (const [key, tensor] of last ?? []) tensors.set(LAST + key, tensor);
  for (const [name, state] of optimizerState(trainer)) {
    tensors.set(name, { shape: state.shape, data: (await state.data()) as Float32Array<ArrayBuffer> });
  }
  checkNumbers(trainer, tensors);
  const losses = trainer.losses.values.slice();
  tensors.set(LOSSES, { shape: [losses.length], data: losses });
  return { step: trainer.step, history: [...trainer.history], rewinds: [...trainer.rewinds], tensors };
}

function checkNumbers({ step, lr, sampler }: Trainer, tensors: ReadonlyMap<string, StoredTensor>): void {
  for (const [name, tensor] of tensors) {
    const found = nonFinite(name, tensor);
    if (!found) continue;
    const epoch = Math.ceil(step / sampler.batches);
    // Which step did it is not known: no loss has shown it.
    const batch = { users: new Uint32Array(), items: new Uint32Array(), labels: new Float32Array() };
    throw new NonFiniteError(`${found} after step ${step}, in epoch ${epoch}, at a learning rate of ${lr}`, {
      step,
      epoch,
      lr,
      ...batch,
    });
  }
}

/** Puts a trainer of the same sizes where the state was read. */
export function writeState(trainer: Trainer, { step, history, rewinds, tensors }: TrainerState): void {
  trainer.weights.restore(tensors, lastWeights(trainer.settings, { history, tensors }));
  for (const [name, state] of optimizerState(trainer)) state.write(tensors.get(name)!.data);
  trainer.losses.restore(tensors.get(LOSSES)!.data);
  trainer.history.splice(0, trainer.history.length, ...history);
  trainer.rewinds.splice(0, trainer.rewinds.length, ...rewinds);
  trainer.step = step;
  trainer.brokenBy = null;
  if (trainer.optimizer instanceof RowAdam) trainer.optimizer.setSteps(step);
}

/** The weights to train on from, where they are others than those to use; null where they are not. */
export function lastWeights(
  { validation }: Pick<Trainer['settings'], 'validation'>,
  { history, tensors }: Pick<TrainerState, 'history' | 'tensors'>,
): Map<string, StoredTensor> | null {
  return validation && bestEpoch(history) ? withPrefix(LAST, tensors) : null;
}

/** What the optimizer keeps of each parameter, e.g. Adam's moments `optimizer.m.mlp.0.weight` and `optimizer.v.…`. */
export function optimizerState({ model: { parameters }, optimizer }: Trainer): Map<string, Tensor> {
  const trained = parameters.specs.filter(isTrained);
  return new Map(
    Object.entries(optimizer.state).flatMap(([key, arena]) =>
      trained.map(({ name }) => [`optimizer.${key}.${name}`, parameters.tensorIn(arena, name, { label: name })]),
    ),
  );
}

/** The tensors of that prefix, without it. */
export function withPrefix(prefix: string, tensors: ReadonlyMap<string, StoredTensor>): Map<string, StoredTensor> {
  const found = [...tensors].filter(([key]) => key.startsWith(prefix));
  return new Map(found.map(([key, tensor]) => [key.slice(prefix.length), tensor]));
}
