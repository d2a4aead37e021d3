import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/autograd/tape.ts';
import type { Candidates } from '../../src/evaluate/candidates.ts';
import { LeaveOneOut } from '../../src/evaluate/leave-one-out.ts';
import { NO_CANDIDATE } from '../../src/kernels/rank.ts';
import type { ModelConfig } from '../../src/models/config.ts';
import { Model } from '../../src/models/model.ts';
import { useGpu } from '../gpu-fixture.ts';
import { distinctModel } from '../models/random-model.ts';
import { Draws } from '../numbers.ts';
import { rank } from '../reference/rank.ts';

const on = useGpu();

const CONFIG: ModelConfig = {
  model: 'neumf',
  users: 300,
  items: 150,
  gmfDim: 3,
  mlpDim: 4,
  mlpLayers: [6],
  batchNorm: true,
  dropout: 0.3,
};

/** Every third user's random candidates; a list has from 1 to `width` of them, and repeats items. */
function randomCandidates(width: number): Candidates {
  const draws = new Draws(width);
  const users = Uint32Array.from({ length: width > 1000 ? 4 : 100 }, (_, i) => 3 * i);
  const items = draws.ids(users.length * width, CONFIG.items);
  const lengths = draws.ids(users.length, width);
  items.forEach((_, i) => {
    if (i % width > lengths[Math.floor(i / width)]!) items[i] = NO_CANDIDATE;
  });
  return { users, items, width, protocol: 'test' };
}

/** A model that scores many pairs alike: all items stand for one of seven. */
function modelWithTies(): Model {
  const model = new Model(on.gpu, CONFIG);
  const draws = new Draws(1);
  for (const [name, weights] of model.parameters.entries()) {
    if (!name.endsWith('item_emb.weight')) continue;
    const dim = weights.shape[1]!;
    const kinds = draws.normal(7 * dim);
    weights.write(
      Float32Array.from(
        { length: weights.size },
        (_, i) => kinds[((Math.floor(i / dim) % 7) * dim + (i % dim)) as number]!,
      ),
    );
  }
  return model;
}

describe('ranks on the device are those of a CPU that scores the same pairs', () => {
  // 16,384 pairs are scored together: one chunk, several with a shorter last one, one user a chunk.
  it.each([1, 2, 100, 400, 9000])('among up to %i candidates', async (width) => {
    const model = modelWithTies();
    const given = randomCandidates(width);
    const ranks = await new LeaveOneOut(on.gpu, () => model.evaluation(), given).ranks();

    const [users, items] = [0, 1].map((which) =>
      Uint32Array.from({ length: CONFIG.users * CONFIG.items }, (_, i) =>
        which ? i % CONFIG.items : Math.floor(i / CONFIG.items),
      ),
    );
    const scores = await model.evaluation()(tensor(on.gpu, users!), tensor(on.gpu, items!)).data();
    const expected = Array.from(given.users, (user, row) => {
      const list = [...given.items.subarray(row * width, (row + 1) * width)];
      const logits = list.map((item) =>
        item === NO_CANDIDATE ? Number.POSITIVE_INFINITY : scores[user * CONFIG.items + item]!,
      );
      return rank(list, logits);
    });
    expect([...ranks]).toEqual(expected);
    if (width > 2) expect(new Set(expected).size, 'different ranks').toBeGreaterThan(3);
  });
});

it('two towers rank as their logits in float64 do', async () => {
  const { random, exact } = distinctModel(on.gpu, { model: 'two-tower', batchNorm: true }, 7);
  const { users, items } = random.config;
  const width = 20;
  const lists = Array.from({ length: users }, (_, user) =>
    Array.from({ length: width }, (_, i) => (3 * i + user) % items),
  );
  const given = {
    users: Uint32Array.from(lists.keys()),
    items: Uint32Array.from(lists.flat()),
    width,
    protocol: 'test',
  };
  const ranks = await new LeaveOneOut(on.gpu, () => random.model.evaluation(), given).ranks();
  const expected = lists.map((list, user) =>
    rank(
      list,
      list.map((item) => exact[user]![item]!),
    ),
  );
  expect([...ranks]).toEqual(expected);
  expect(new Set(expected).size, 'different ranks').toBeGreaterThan(8);
});

it('ties count against the model: one that scores all alike has every item last', async () => {
  const model = new Model(on.gpu, { ...CONFIG, batchNorm: false });
  for (const [, weights] of model.parameters.entries()) weights.write(new Float32Array(weights.size));
  const given = randomCandidates(20);
  const ranks = await new LeaveOneOut(on.gpu, () => model.evaluation(), given).ranks();
  const others = Array.from(given.users, (_, row) => {
    return given.items.subarray(row * 20 + 1, (row + 1) * 20).filter((item) => item !== NO_CANDIDATE).length;
  });
  expect([...ranks]).toEqual(others);
});

it('ranks follow the weights of the moment, and asking twice gives the same', async () => {
  const model = modelWithTies();
  const evaluation = new LeaveOneOut(on.gpu, () => model.evaluation(), randomCandidates(100));
  const first = await evaluation.ranks();
  expect(await evaluation.ranks()).toEqual(first);
  const weights = model.parameters.get('output_layer.weight');
  weights.write((await weights.data()).map((value) => -value) as Float32Array<ArrayBuffer>);
  expect(await evaluation.ranks()).not.toEqual(first);
});
