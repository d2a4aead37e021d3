import { isTrained } from '../autograd/parameters.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Ids } from '../data/id-map.ts';
import { DataError, NonFiniteError } from '../errors.ts';
import { checkModelConfig } from '../models/config.ts';
import { parameterSpecs } from '../models/layout.ts';
import {
  decodeSafetensors,
  encodeSafetensors,
  readOutline,
  type SafetensorsFile,
  type StoredTensor,
} from '../models/safetensors.ts';
import { checkShapes, checkTensors, checkWeights, nonFinite, savedParameters } from '../models/weights.ts';
import { RowAdam } from '../optim/row-adam.ts';
import { bestEpoch, type EpochEvent } from './history.ts';
import { checkIds, decodeIds, encodeIds } from './ids.ts';
import { modelConfig, resolveSettings, type TrainSettings } from './settings.ts';
import { storedHistory } from './stored-history.ts';
import type { Trainer } from './trainer.ts';

/** What a checkpoint says of itself, beside the tensors. */
export interface CheckpointInfo extends Ids {
  readonly settings: TrainSettings;
  /** Training steps done. */
  readonly step: number;
  readonly history: readonly EpochEvent[];
}

const FORMAT = 'neumf-webgpu 1';
const LOSSES = 'trainer.losses';
/** The clock counts them in 32 bits. */
const MOST_STEPS = 0xffffffff;
const LAST = 'trainer.last.';

/**
 * Everything needed to go on: weights under PyTorch's names, the optimizer's state, the step, the epoch's losses so
 * far, settings, history and id maps, as one safetensors file. Where validation items choose the best epoch, PyTorch's
 * names stand for its weights, which are those to use, and `trainer.last.…` for those to train on from. What the
 * schedule and early stopping go by is in the history.
 * @param more what else the file is to have
 * Throws NonFiniteError when a weight or the optimizer's state of one is infinite or not a number, so that no checkpoint
 * that can be gone on from is replaced by one that cannot; and what broke an epoch off, whose weights are no step's.
 */
export async function encodeCheckpoint(
  trainer: Trainer,
  ids: Ids,
  more?: SafetensorsFile,
): Promise<Uint8Array<ArrayBuffer>> {
  trainer.check();
  trainer.settle();
  const { best, last } = await trainer.weights.both();
  const tensors = new Map(best);
  for (const [key, tensor] of last ?? []) tensors.set(LAST + key, tensor);
  for (const { name, tensor, view } of optimizerState(trainer)) {
    const data = new Float32Array(await trainer.gpu.read(view));
    tensors.set(name, { shape: tensor.shape, data });
  }
  checkNumbers(trainer, tensors);
  tensors.set(LOSSES, { shape: [trainer.losses.values.length], data: trainer.losses.values });
  const metadata = {
    format: FORMAT,
    settings: JSON.stringify(trainer.settings),
    step: String(trainer.step),
    history: JSON.stringify(trainer.history),
    ...encodeIds(ids),
    ...more?.metadata,
  };
  return encodeSafetensors({ tensors: new Map([...tensors, ...(more?.tensors ?? [])]), metadata });
}

function checkNumbers({ step, lr, sampler }: Trainer, tensors: ReadonlyMap<string, StoredTensor>): void {
  for (const [name, tensor] of tensors) {
    const found = nonFinite(name, tensor);
    if (!found) continue;
    const epoch = Math.ceil(step / sampler.batches);
    // Which step did it is not known: no loss has shown it.
    const batch = { users: new Uint32Array(), items: new Uint32Array(), labels: new Float32Array() };
    throw new NonFiniteError(
      `${found} after step ${step}, in epoch ${epoch}, at a learning rate of ${lr}; a smaller one, or gradient clipping, may help`,
      { step, epoch, lr, ...batch },
    );
  }
}

/** Whether a safetensors file with this metadata is a checkpoint, of whatever version. */
export function isCheckpoint({ format }: Readonly<Record<string, string>>): boolean {
  return format?.startsWith('neumf-webgpu ') ?? false;
}

/**
 * What a checkpoint's header says. Every setting and every epoch's figures are checked, and so is whether the file has the
 * tensors of the model that they describe, before anything is built from them. Throws DataError for a file that is none.
 */
export function checkpointInfo(bytes: Uint8Array<ArrayBuffer>, name: string): CheckpointInfo {
  const { metadata, shapes } = readOutline(bytes, name);
  if (metadata.format !== FORMAT) {
    throw new DataError(`${name}: its format is "${metadata.format ?? 'not given'}", and "${FORMAT}" would be right`);
  }
  const info = readable(name, (): CheckpointInfo => {
    const step = JSON.parse(metadata.step!);
    if (!Number.isSafeInteger(step) || step < 0 || step > MOST_STEPS) throw new Error('step is no count of steps');
    const settings = storedSettings(JSON.parse(metadata.settings!));
    return { settings, step, history: storedHistory(JSON.parse(metadata.history!), settings), ...decodeIds(metadata) };
  });
  const config = readable(name, () => {
    const model = modelConfig(resolveSettings(info.settings), info.userIds.size, info.itemIds.size);
    checkModelConfig(model);
    return model;
  });
  checkShapes(savedParameters(parameterSpecs(config)), shapes, name);
  return info;
}

/** What `read` makes of a checkpoint's metadata; whatever it throws becomes a DataError. */
export function readable<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new DataError(`${name}: its metadata cannot be read: ${(error as Error).message}`);
  }
}

/** Throws an error for what no run's settings are. */
export function storedSettings(stored: unknown): TrainSettings {
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) throw new Error('settings is no object');
  // Before there were schedules, the rate was the same all along, also with a preset that has one now.
  const settings = { schedule: 'constant', validation: false, ...stored } as TrainSettings;
  resolveSettings(settings);
  return settings;
}

/**
 * Puts a trainer where the checkpoint left off; it then goes on to the same bits as a run that was not interrupted.
 * @param ids those of the trainer's data
 * Throws DataError when the checkpoint is of a model of other sizes, of other users or items, or with another optimizer;
 * nothing changed then.
 */
export function restoreCheckpoint(trainer: Trainer, bytes: Uint8Array<ArrayBuffer>, name: string, ids: Ids): void {
  const { tensors } = decodeSafetensors(bytes, name);
  const info = checkpointInfo(bytes, name);
  const last = info.settings.validation && bestEpoch(info.history) ? withPrefix(LAST, tensors) : null;
  checkWeights(trainer.model, tensors, name);
  if (last) checkWeights(trainer.model, last, `${name}: weights of the last step`);
  checkIds(info, ids, name);
  checkOptimizer(info, trainer, name);
  if (info.settings.validation !== trainer.settings.validation) {
    const [there, here] = info.settings.validation ? ['with', 'has none'] : ['without', 'has some'];
    throw new DataError(`${name}: it was trained ${there} validation items, and this run ${here}`);
  }
  const state = optimizerState(trainer);
  const needed = state.map(({ name: key, tensor: { shape } }) => ({ name: key, shape }));
  checkTensors(needed, tensors, name, 'run');
  const losses = tensors.get(LOSSES);
  if (losses?.data.length !== trainer.losses.values.length) {
    throw new DataError(
      `${name}: its epochs have ${losses?.data.length ?? 0} steps, and this run's have ${trainer.losses.values.length}; the same data, batch size and negatives would be right`,
    );
  }
  trainer.weights.restore(tensors, last);
  for (const { name: key, view } of state) trainer.gpu.write(view.buffer, view.offset ?? 0, tensors.get(key)!.data);
  trainer.losses.restore(losses.data);
  trainer.history.splice(0, trainer.history.length, ...info.history);
  trainer.step = info.step;
  trainer.brokenBy = null;
  if (trainer.optimizer instanceof RowAdam) trainer.optimizer.setSteps(info.step);
}

/** Throws DataError unless the checkpoint has the state that the trainer's optimizer needs. */
export function checkOptimizer({ settings }: CheckpointInfo, trainer: Trainer, name: string): void {
  const { optimizer } = trainer.settings;
  if (settings.optimizer === optimizer) return;
  throw new DataError(`${name}: it was trained with ${settings.optimizer}, and this run uses ${optimizer}`);
}

/** What the optimizer keeps of each parameter, e.g. Adam's moments `optimizer.m.mlp.0.weight` and `optimizer.v.…`. */
export function optimizerState({
  model,
  optimizer,
}: Trainer): { name: string; tensor: Tensor; view: GPUBufferBinding }[] {
  const trained = model.parameters.specs.filter(isTrained);
  return Object.entries(optimizer.state).flatMap(([key, buffer]) =>
    trained.map(({ name }) => {
      const tensor = model.parameters.get(name);
      return { name: `optimizer.${key}.${name}`, tensor, view: { ...tensor.view, buffer } };
    }),
  );
}

/** The tensors of that prefix, without it. */
export function withPrefix(prefix: string, tensors: ReadonlyMap<string, StoredTensor>): Map<string, StoredTensor> {
  const found = [...tensors].filter(([key]) => key.startsWith(prefix));
  return new Map(found.map(([key, tensor]) => [key.slice(prefix.length), tensor]));
}
