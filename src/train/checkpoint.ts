import type { Ids } from '../data/id-map.ts';
import { DataError } from '../errors.ts';
import { checkModelConfig } from '../models/config.ts';
import { parameterSpecs } from '../models/layout.ts';
import { decodeSafetensors, encodeSafetensors, readOutline, type SafetensorsFile } from '../models/safetensors.ts';
import { checkShapes, checkTensors, checkWeights, savedParameters } from '../models/weights.ts';
import type { EpochEvent, RecoveredEvent } from './history.ts';
import { checkIds, decodeIds, encodeIds } from './ids.ts';
import { modelConfig, resolveSettings, type TrainSettings } from './settings.ts';
import { LOSSES, lastWeights, optimizerState, readState, writeState } from './state.ts';
import { storedHistory } from './stored-history.ts';
import type { Trainer } from './trainer.ts';

/** What a checkpoint says of itself, beside the tensors. */
export interface CheckpointInfo extends Ids {
  readonly settings: TrainSettings;
  /** Training steps done. */
  readonly step: number;
  readonly history: readonly EpochEvent[];
  /** How often the run went back and halved its rate, as the trainer keeps it. */
  readonly rewinds: readonly RecoveredEvent[];
}

const FORMAT = 'neumf-webgpu 1';
/** The clock counts them in 32 bits. */
const MOST_STEPS = 0xffffffff;

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
  const { tensors, step, history, rewinds } = await readState(trainer);
  const metadata = {
    format: FORMAT,
    settings: JSON.stringify(trainer.settings),
    step: String(step),
    history: JSON.stringify(history),
    ...(rewinds.length > 0 ? { rewinds: JSON.stringify(rewinds) } : {}),
    ...encodeIds(ids),
    ...more?.metadata,
  };
  return encodeSafetensors({ tensors: new Map([...tensors, ...(more?.tensors ?? [])]), metadata });
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
    const history = storedHistory(JSON.parse(metadata.history!), settings);
    const rewinds = storedRewinds(JSON.parse(metadata.rewinds ?? '[]'));
    return { settings, step, history, rewinds, ...decodeIds(metadata) };
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

/** Throws an error for what no run has gone back by. */
function storedRewinds(stored: unknown): RecoveredEvent[] {
  const isRewind = (event: unknown) => {
    const { reason, message, step, factor } = (event ?? {}) as Partial<RecoveredEvent>;
    return reason === 'not finite' && typeof message === 'string' && [step, factor].every(Number.isFinite);
  };
  if (Array.isArray(stored) && stored.every(isRewind)) return stored;
  throw new Error('rewinds is no list of them');
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
  const last = lastWeights(info.settings, { ...info, tensors });
  checkWeights(trainer.model, tensors, name);
  if (last) checkWeights(trainer.model, last, `${name}: weights of the last step`);
  checkIds(info, ids, name);
  checkOptimizer(info, trainer, name);
  if (info.settings.validation !== trainer.settings.validation) {
    const [there, here] = info.settings.validation ? ['with', 'has none'] : ['without', 'has some'];
    throw new DataError(`${name}: it was trained ${there} validation items, and this run ${here}`);
  }
  const needed = [...optimizerState(trainer)].map(([key, { shape }]) => ({ name: key, shape }));
  checkTensors(needed, tensors, name, 'run');
  const losses = tensors.get(LOSSES);
  if (losses?.data.length !== trainer.losses.values.length) {
    throw new DataError(
      `${name}: its epochs have ${losses?.data.length ?? 0} steps, and this run's have ${trainer.losses.values.length}; the same data, batch size and negatives would be right`,
    );
  }
  writeState(trainer, { ...info, tensors });
}

/** Throws DataError unless the checkpoint has the state that the trainer's optimizer needs. */
export function checkOptimizer({ settings }: CheckpointInfo, trainer: Trainer, name: string): void {
  const { optimizer } = trainer.settings;
  if (settings.optimizer === optimizer) return;
  throw new DataError(`${name}: it was trained with ${settings.optimizer}, and this run uses ${optimizer}`);
}
