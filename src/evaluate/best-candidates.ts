import { Clock } from '../autograd/clock.ts';
import { record, type Tape, tensor, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { ItemLists } from '../data/split.ts';
import { checkBindable, type Gpu } from '../gpu/device.ts';
import { topK, topSpansLength } from '../kernels/catalogue.ts';
import { candidateKeys, candidatePairs, NO_CANDIDATE } from '../kernels/rank.ts';
import type { Forward, Model } from '../models/model.ts';
import { runChunks } from './chunks.ts';
import { checkTop, readTopItems, type TopItems } from './top-items.ts';

/** Pairs scored together: enough to fill a GPU, little enough memory for wide models. */
const PAIRS = 16384;

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
  checkTop(gpu, model, users, k);
  const tested = users.length;
  const width = widest(lists);
  if (tested === 0) return readTopItems([], k);
  checkBindable(gpu, `the candidate lists of ${tested} users`, 4 * tested * width);
  const chunk = Math.max(1, Math.min(tested, Math.floor(PAIRS / width)));
  const size = { chunk, width, tested };
  const padded = new Uint32Array(tested * width).fill(NO_CANDIDATE);
  for (let user = 0; user < tested; user++) {
    padded.set(lists.items.subarray(lists.offsets[user], lists.offsets[user + 1]), user * width);
  }
  const tapes: Tape[] = [];
  let forward!: Forward;
  const prepare = record(gpu, 'fold for evaluation', (tape) => {
    tapes.push(tape);
    forward = model.evaluation();
  });
  let clock!: Clock;
  let best!: Tensor;
  const scoreChunk = record(gpu, 'scores of candidates', (tape) => {
    tapes.push(tape);
    clock = new Clock(gpu);
    const ids = (label: string, length: number) => zeros(gpu, [length], { dtype: 'u32', label });
    const candidates = tensor(gpu, padded, { label: 'candidates' }).view;
    const testedUsers = tensor(gpu, users as Uint32Array<ArrayBuffer>, { label: 'tested users' }).view;
    const pairs = { users: ids('pair users', chunk * width), items: ids('pair items', chunk * width) };
    const [step, keys] = [clock.step.view, ids('scores', chunk * width)];
    best = ids('best candidates', 2 * tested * k);
    const { plan } = tape;
    const views = { users: pairs.users.view, items: pairs.items.view };
    candidatePairs(plan, { step, testedUsers, candidates, ...views }, size);
    const logits = forward(pairs.users, pairs.items);
    candidateKeys(plan, { step, candidates, logits: logits.view, keys: keys.view }, size);
    const matrix = { users: chunk, items: width, tested };
    const spans = ids('best candidates of spans', 2 * topSpansLength(matrix, k)).view;
    topK(plan, { step, keys: keys.view, spans, best: best.view }, matrix, k);
    clock.advance(logits);
  });
  const found = await runChunks(gpu, { clock, count: Math.ceil(tested / chunk), prepare, scoreChunk })
    .then(() => best.data())
    .finally(() => {
      for (const tape of tapes) tape.dispose();
    });
  return readTopItems(found, k, (user, place) => padded[user * width + place]!);
}

/** Length of the longest list, 1 at least. */
function widest({ offsets }: ItemLists): number {
  let most = 1;
  for (let list = 1; list < offsets.length; list++) most = Math.max(most, offsets[list]! - offsets[list - 1]!);
  return most;
}
