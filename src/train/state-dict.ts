import type { Ids } from '../data/id-map.ts';
import { DataError } from '../errors.ts';
import type { Model } from '../models/model.ts';
import { decodeSafetensors, type StoredTensor } from '../models/safetensors.ts';
import { parametersOf, type Sizes, sizesOf } from '../models/sizes.ts';
import { checkWeights, loadWeights } from '../models/weights.ts';
import { isCheckpoint } from './checkpoint.ts';
import { checkIds, decodeIds } from './ids.ts';

/** Trained weights: those of a checkpoint, or of a PyTorch program that names them as the lesson's does. */
export interface StateDict {
  /** The file's name, for errors. */
  readonly source: string;
  readonly sizes: Sizes;
  readonly weights: ReadonlyMap<string, StoredTensor>;
  /** Whom the tables' rows stand for; null where the file does not say. */
  readonly ids: Ids | null;
  /** The types that some weights had and that F32 replaced. */
  readonly converted: readonly string[];
}

/**
 * Reads weights for `loadStateDict`. Where the file's metadata has `userIds` and `itemIds`, JSON lists of strings, the
 * rows of its tables stand for them (`save_file(state, path, metadata={"userIds": json.dumps(ids), …})`).
 * Throws DataError for a file that is no model's state dict, or has tensors that are none of that model's.
 */
export function readStateDict(bytes: Uint8Array<ArrayBuffer>, source: string): StateDict {
  const { tensors, metadata } = decodeSafetensors(bytes, source);
  const sizes = sizesOf(tensors, source);
  const names = parametersOf(sizes).map(({ name }) => name);
  const other = [...tensors.keys()].find((name) => !names.includes(name));
  if (other !== undefined && !isCheckpoint(metadata)) {
    throw new DataError(`${source}: ${other} is no tensor of ${sizes.model}; ${names.join(', ')} would be right`);
  }
  const weights = new Map(names.map((name) => [name, tensors.get(name)!]));
  const converted = new Set([...weights.values()].flatMap((tensor) => tensor.converted ?? []));
  return { source, sizes, weights, ids: idsOf(metadata, sizes, source), converted: [...converted] };
}

function idsOf(metadata: Readonly<Record<string, string>>, { users, items }: Sizes, source: string): Ids | null {
  if (metadata.userIds === undefined && metadata.itemIds === undefined) return null;
  let ids: Ids;
  try {
    ids = decodeIds(metadata);
  } catch (error) {
    throw new DataError(`${source}: its ids cannot be read: ${(error as Error).message}`);
  }
  if (ids.userIds.size === users && ids.itemIds.size === items) return ids;
  throw new DataError(
    `${source}: it has ids of ${ids.userIds.size} users and ${ids.itemIds.size} items, and rows of ${users} and ${items}`,
  );
}

/**
 * Sets a model's weights.
 * @param ids those of the model's data; without ids in the file its rows are taken to be the data's, in their order
 * Throws DataError for sizes or ids that are not the model's; it is unchanged then.
 */
export function loadStateDict(
  model: Model,
  { weights, ids: stored, source }: Pick<StateDict, 'weights' | 'ids' | 'source'>,
  ids: Ids,
): void {
  checkWeights(model, weights, source);
  if (stored) checkIds(stored, ids, source);
  loadWeights(model, weights, source);
}
