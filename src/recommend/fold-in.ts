import { Clock } from '../autograd/clock.ts';
import { bceWithLogits } from '../autograd/ops/bce.ts';
import { record, type Tape, zeros } from '../autograd/tape.ts';
import { runChunks } from '../evaluate/chunks.ts';
import type { Gpu } from '../gpu/device.ts';
import { gather } from '../kernels/gather.ts';
import type { Forward, Model } from '../models/model.ts';
import { Adam } from '../optim/adam.ts';
import { BatchSampler } from '../train/sampler.ts';
import { resolveSettings } from '../train/settings.ts';
import { meanRow } from './mean-row.ts';

/** How a new user's rows are solved: so many steps of Adam, each over all items of the user and as many negatives each. */
export const FOLD_IN = { steps: 100, lr: 0.02, negatives: 4, seed: 42 } as const;

/**
 * The model for one user whom it was not trained with, from the items that this user has taken: its user rows begin as the
 * mean of all users' rows and follow the gradient of the training loss, binary cross-entropy against negatives drawn
 * uniformly among the other items, anew each step. Everything else stays as it is. The same items give the same bits.
 * @param items distinct rows of the item tables, at least one
 * Throws DataError when the user has taken all items, so that there is no negative.
 */
export async function foldIn(gpu: Gpu, model: Model, items: Uint32Array<ArrayBuffer>): Promise<Model> {
  const newcomer = model.withNewUsers(1);
  const tapes: Tape[] = [];
  let clock!: Clock;
  let optimizer!: Adam;
  let sampler!: BatchSampler;
  let forward!: Forward;
  const prepare = record(gpu, 'a new user', (tape) => {
    tapes.push(tape);
    clock = new Clock(gpu);
    optimizer = new Adam(newcomer.parameters, clock, { lr: FOLD_IN.lr });
    sampler = samplerOf(gpu, items, model.config.items);
    forward = newcomer.frozen();
    const first = zeros(gpu, [1], { dtype: 'u32' }).view;
    for (const branch of ['gmf', 'mlp'] as const) {
      const [known, own] = [model.tables[branch], newcomer.tables[branch]];
      if (!known || !own) continue;
      const dim = own.users.shape[1]!;
      gather(tape.plan, meanRow(known.users).shards, first, own.users.view, 1, { dim, width: dim, column: 0 });
    }
  });
  const step = record(gpu, 'fold in', (tape) => {
    tapes.push(tape);
    newcomer.parameters.zeroGrad();
    const batch = sampler.draw(clock, sampler.samples);
    const loss = bceWithLogits(forward(batch.users, batch.items), batch.labels);
    loss.backward();
    optimizer.step();
    clock.advance(loss);
  });
  try {
    await runChunks(gpu, { clock, prepare, parts: [{ count: FOLD_IN.steps, scoreChunk: step }] });
  } finally {
    for (const tape of tapes) tape.dispose();
  }
  return newcomer;
}

/** Draws one user's items, each beside its negatives: a batch is all of them. */
function samplerOf(gpu: Gpu, own: Uint32Array<ArrayBuffer>, items: number): BatchSampler {
  const { negatives, seed } = FOLD_IN;
  const none = { users: new Uint32Array(0), items: new Uint32Array(0) };
  const train = { offsets: Uint32Array.of(0, own.length), items: own };
  const split = { users: 1, items, train, validation: null, test: none, negatives: null, untested: 1 };
  const batchSize = own.length * (1 + negatives);
  return new BatchSampler(gpu, split, resolveSettings({ batchSize, negatives, seed, sampler: 'uniform' }));
}
