/** A small data set that can be learnt, and settings small enough for a software adapter. */
import { Clock } from '../../src/autograd/clock.ts';
import { record } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { identityIds } from '../../src/data/id-map.ts';
import { leaveOneOut, type Split } from '../../src/data/split.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { Model } from '../../src/models/model.ts';
import { pcg4d } from '../../src/random.ts';
import type { BatchSampler } from '../../src/train/sampler.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import type { Batch } from '../../src/train/step.ts';
import { Trainer, type TrainerOptions } from '../../src/train/trainer.ts';

export interface TasteGroups {
  readonly users: number;
  readonly items: number;
  readonly groups: number;
  /** Distinct items that each user takes, all of the user's own group. */
  readonly perUser: number;
}

/**
 * Users who take only items of their own group, in random order: popularity knows nothing, and a model that learns the
 * groups ranks a held-out item before all items of the others.
 */
export function tasteGroups({ users, items, groups, perUser }: TasteGroups, seed = 1): Split {
  const key = (user: number, item: number) => pcg4d(new Uint32Array(4), seed, 0x7e57, user, item)[0]!;
  const rows: [user: number, item: number][] = [];
  for (let user = 0; user < users; user++) {
    const own = [...Array(items).keys()].filter((item) => item % groups === user % groups);
    const order = own.sort((a, b) => key(user, a) - key(user, b));
    for (const item of order.slice(0, perUser)) rows.push([user, item]);
  }
  return splitOf(rows, users, items);
}

/** Leave-one-out of (user, item) pairs, each user's last pair held out. */
export function splitOf(rows: readonly (readonly [number, number])[], users: number, items: number): Split {
  return leaveOneOut({
    users: Uint32Array.from(rows, ([user]) => user),
    items: Uint32Array.from(rows, ([, item]) => item),
    timestamps: null,
    userIds: identityIds(users),
    itemIds: identityIds(items),
    duplicates: 0,
  });
}

/** 48 users, 80 items, 5 groups of 16 items; 528 training interactions. */
export const GROUPS = tasteGroups({ users: 48, items: 80, groups: 5, perUser: 12 });

/** The batch of a training step, back on the CPU; step 0 is the first batch of the first epoch. @param model makes it hard */
export async function drawn(gpu: Gpu, sampler: BatchSampler, step: number, model?: Model) {
  const clock = new Clock(gpu);
  let batch!: Batch;
  const plan = record(gpu, 'draw', () => {
    batch = sampler.draw(clock, sampler.rows(step % sampler.batches), model?.scoring());
  });
  clock.set(step);
  plan.run();
  const list = async (tensor: Tensor) => [...(await tensor.data())];
  return {
    users: await list(batch.users),
    items: await list(batch.items),
    labels: await list(batch.labels),
    ...(batch.weights && { weights: await list(batch.weights) }),
  };
}

/** Two dimensions or units each: for tests that ask how a step is run, not what it learns. */
export const TINY = { gmfDim: 2, mlpDim: 2, mlpLayers: [2], batchSize: 64, eval: 'none' } as const;

/**
 * The lesson's way of training at a small size: BatchNorm, dropout, clipping, weight decay, popularity sampling; the rate
 * stays what it is, so that nothing need be evaluated.
 */
export const LESSON_LIKE = {
  preset: 'lesson',
  schedule: 'constant',
  gmfDim: 4,
  mlpDim: 4,
  mlpLayers: [8, 4],
  batchSize: 100,
  lr: 0.01,
  sampler: 'popularity',
} as const;

/** Trains to the end. */
export async function trained(
  gpu: Gpu,
  settings: Partial<TrainSettings>,
  options: TrainerOptions = {},
  split: Split = GROUPS,
): Promise<Trainer> {
  const trainer = await Trainer.create(gpu, split, settings, options);
  for await (const _ of trainer);
  return trainer;
}
