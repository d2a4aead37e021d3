import { zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { ItemLists } from '../data/split.ts';
import type { Gpu } from '../gpu/device.ts';
import { candidateKeys, NO_CANDIDATE } from '../kernels/rank.ts';
import type { Model } from '../models/model.ts';
import { scoreCandidates } from './candidate-scoring.ts';
import { readJoined, runChunks } from './chunks.ts';
import { checkTop, keepTop, keptOf, readTopItems, type TopItems } from './top-items.ts';

/**
 * The k best items of each user among the user's own candidates, by the weights of the moment: no other pair is scored.
 * @param users u32[users], rows of the model's tables
 * @param lists a list a user, each ascending and distinct
 * Throws ConfigError for users or a k that cannot be, and when lists do not fit the adapter's limits.
 */
export async function bestCandidates(
  gpu: Gpu,
  model: Model,
  users: Uint32Array,
  lists: ItemLists,
  k: number,
): Promise<TopItems> {
  checkTop(model, users, k);
  if (users.length === 0) return readTopItems([], k);
  const width = widest(lists);
  const items = new Uint32Array(users.length * width).fill(NO_CANDIDATE);
  users.forEach((_, row) => {
    items.set(lists.items.subarray(lists.offsets[row], lists.offsets[row + 1]), row * width);
  });
  const best: Tensor[] = [];
  const candidates = { users: users as Uint32Array<ArrayBuffer>, items, width };
  const { chunks, dispose } = scoreCandidates(
    gpu,
    () => model.evaluation(),
    candidates,
    (plan, views, size) => {
      const keys = zeros(gpu, [size.chunk * width], { dtype: 'u32', label: 'scores' }).view;
      candidateKeys(plan, { ...views, keys }, size);
      best.push(keepTop(plan, views.step, keys, { users: size.chunk, items: width, tested: size.tested }, k));
    },
    keptOf(k),
  );
  const found = await runChunks(gpu, chunks)
    .then(() => readJoined(best))
    .finally(dispose);
  return readTopItems(found, k, (user, place) => items[user * width + place]!);
}

/** Length of the longest list, 1 at least. */
function widest({ offsets }: ItemLists): number {
  let most = 1;
  for (let list = 1; list < offsets.length; list++) most = Math.max(most, offsets[list]! - offsets[list - 1]!);
  return most;
}
