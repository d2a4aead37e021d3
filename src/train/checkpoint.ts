import { isTrained } from '../autograd/parameters.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Ids } from '../data/id-map.ts';
import { DataError } from '../errors.ts';
import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsFile,
  type StoredTensor,
} from '../models/safetensors.ts';
import { checkWeights, loadWeights, readWeights } from '../models/weights.ts';
import { RowAdam } from '../optim/row-adam.ts';
import type { EpochEvent } from './history.ts';
import { checkIds, decodeIds, encodeIds } from './ids.ts';
import type { TrainSettings } from './settings.ts';
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

/**
 * Everything needed to go on: weights under PyTorch's names, the optimizer's state, the step, the epoch's losses so
 * far, settings, history and id maps, as one safetensors file.
 * @param more what else the file is to have
 */
export async function encodeCheckpoint(
  trainer: Trainer,
  ids: Ids,
  more?: SafetensorsFile,
): Promise<Uint8Array<ArrayBuffer>> {
  trainer.settle();
  const tensors = await readWeights(trainer.model);
  for (const { name, tensor, view } of optimizerState(trainer)) {
    const data = new Float32Array(await trainer.gpu.read(view));
    tensors.set(name, { shape: tensor.shape, data });
  }
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

/** Whether a safetensors file with this metadata is a checkpoint, of whatever version. */
export function isCheckpoint({ format }: Readonly<Record<string, string>>): boolean {
  return format?.startsWith('neumf-webgpu ') ?? false;
}

/** What a checkpoint's header says. Throws DataError for a file that is none. */
export function checkpointInfo(bytes: Uint8Array<ArrayBuffer>, name: string): CheckpointInfo {
  const { metadata } = decodeSafetensors(bytes, name);
  if (metadata.format !== FORMAT) {
    throw new DataError(`${name}: its format is "${metadata.format ?? 'not given'}", and "${FORMAT}" would be right`);
  }
  try {
    const step = JSON.parse(metadata.step!);
    const history = JSON.parse(metadata.history!);
    if (!Number.isSafeInteger(step) || step < 0) throw new Error(`step ${step} is no count`);
    if (!Array.isArray(history)) throw new Error('history is no list');
    return {
      settings: JSON.parse(metadata.settings!),
      step,
      history,
      ...decodeIds(metadata),
    };
  } catch (error) {
    throw new DataError(`${name}: its metadata cannot be read: ${error instanceof Error ? error.message : error}`);
  }
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
  checkWeights(trainer.model, tensors, name);
  checkIds(info, ids, name);
  checkOptimizer(info, trainer, name);
  const stored = optimizerState(trainer).map(({ name: key, view, tensor }) => ({
    view,
    data: find(tensors, key, tensor, name),
  }));
  const losses = tensors.get(LOSSES);
  if (losses?.data.length !== trainer.losses.values.length) {
    throw new DataError(
      `${name}: its epochs have ${losses?.data.length ?? 0} steps, and this run's have ${trainer.losses.values.length}; the same data, batch size and negatives would be right`,
    );
  }
  loadWeights(trainer.model, tensors, name);
  for (const { view, data } of stored) trainer.gpu.write(view.buffer, view.offset ?? 0, data);
  trainer.losses.restore(losses.data);
  trainer.history.splice(0, trainer.history.length, ...info.history);
  trainer.step = info.step;
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

function find(
  tensors: ReadonlyMap<string, StoredTensor>,
  key: string,
  like: Tensor,
  name: string,
): StoredTensor['data'] {
  const found = tensors.get(key);
  if (!found) throw new DataError(`${name}: it has no tensor ${key}, which this run needs`);
  if (found.shape.join() !== like.shape.join()) {
    throw new DataError(
      `${name}: ${key} is [${found.shape.join(', ')}], and this model has [${like.shape.join(', ')}]`,
    );
  }
  return found.data;
}
