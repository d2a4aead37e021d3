import type { Tensor } from '../autograd/tensor.ts';
import type { Gpu } from '../gpu/device.ts';
import type { Model } from '../models/model.ts';
import { readJoined, runChunks } from './chunks.ts';
import { type Behind, type Masks, scoreUsers } from './scoring.ts';
import { checkTop, keepTop, keptOf, readTopItems, type TopItems } from './top-items.ts';

/**
 * The k best items of each user among all that the masks leave, by the weights of the moment.
 * @param users u32[users], rows of the model's tables
 * @param pairs users × items scored together at most; bounds the memory, changes no result
 * Throws ConfigError for users or a k that cannot be, and when lists do not fit the adapter's limits.
 */
export async function bestItems(
  gpu: Gpu,
  model: Model,
  users: Uint32Array,
  k: number,
  masks: Masks,
  pairs?: number,
): Promise<TopItems> {
  checkTop(model, users, k);
  if (users.length === 0) return readTopItems([], k);
  const best: Tensor[] = [];
  const keepBest: Behind = (plan, { step, keys }, size) => {
    best.push(keepTop(plan, step, keys, size, k));
  };
  const { chunks, dispose } = scoreUsers(gpu, model, users, masks, keepBest, keptOf(k), pairs);
  const found = await runChunks(gpu, chunks)
    .then(() => readJoined(best))
    .finally(dispose);
  return readTopItems(found, k);
}
