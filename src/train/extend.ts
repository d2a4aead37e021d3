import type { Ids } from '../data/id-map.ts';
import { DataError } from '../errors.ts';
import { decodeSafetensors, type StoredTensor } from '../models/safetensors.ts';
import { checkFinite, loadWeights, readWeights } from '../models/weights.ts';
import { type CheckpointInfo, checkOptimizer, checkpointInfo } from './checkpoint.ts';
import { bestEpoch } from './history.ts';
import { checkFirstIds } from './ids.ts';
import { optimizerState } from './state.ts';
import type { Trainer } from './trainer.ts';

/**
 * Begins a run on grown data with what a checkpoint has learnt: users and items that it knows keep their rows and the
 * optimizer's state of them, new ones have the rows of a fresh model of the same seed and a state of zeros, and all other
 * weights are the checkpoint's. Epochs, steps and history count from here: Adam's bias correction is then right for new
 * rows, and takes smaller steps with old ones until it fades. Where validation items chose the checkpoint's best epoch,
 * its weights are taken; the optimizer's state is of the last step and fits other weights, so it begins anew then.
 * @param trainer a new one, of data that was read with the checkpoint's ids first (`knownIds`); what the data does not
 *   have of old users is not trained on
 * @param ids those of the trainer's data
 * Throws DataError when the checkpoint is of another model, of other ids or with another optimizer; nothing changed then.
 */
export async function extendCheckpoint(
  trainer: Trainer,
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  ids: Ids,
): Promise<void> {
  const { model } = trainer;
  const { tensors } = decodeSafetensors(bytes, name);
  const info = checkpointInfo(bytes, name);
  checkOptimizer(info, trainer, name);
  const tables = new Set(model.parameters.specs.filter(({ table }) => table).map((spec) => spec.name));
  /** A tensor's old values: as many as it has now or, of a table, its first rows. */
  const old = (key: string, { shape }: Pick<StoredTensor, 'shape'>, parameter: string): StoredTensor['data'] => {
    const stored = tensors.get(key);
    if (!stored) throw new DataError(`${name}: it has no tensor ${key}, which this run needs`);
    const rows = tables.has(parameter) ? Math.min(stored.shape[0] ?? 0, shape[0]!) : shape[0]!;
    const right = [rows, ...shape.slice(1)];
    if (stored.shape.join() !== right.join()) {
      throw new DataError(
        `${name}: ${key} is [${stored.shape.join(', ')}], and this model has [${shape.join(', ')}], which does not extend it`,
      );
    }
    checkFinite(key, stored, name);
    return stored.data;
  };
  const weights = await readWeights(model);
  const oldWeights = [...weights].map(([key, own]) => ({ own, data: old(key, own, key) }));
  const chosen = info.settings.validation && bestEpoch(info.history) !== null;
  const oldState = (chosen ? [] : [...optimizerState(trainer)]).map(([key, state]) => ({
    state,
    data: old(key, state, state.label),
  }));
  checkFirstIds(info, ids, name);
  checkOverlap(trainer, info, name);
  for (const { own, data } of oldWeights) own.data.set(data);
  loadWeights(model, weights, name);
  for (const { state, data } of oldState) {
    const all = new Float32Array(state.size);
    all.set(data);
    state.write(all);
  }
}

/** Data without any of the old items is another catalogue's: then nothing that was learnt is of use. */
function checkOverlap({ split }: Trainer, { itemIds }: CheckpointInfo, name: string): void {
  if (split.train.items.some((item) => item < itemIds.size)) return;
  throw new DataError(
    `${name}: none of its ${itemIds.size} items is in this data; data of the same catalogue would be right`,
  );
}
