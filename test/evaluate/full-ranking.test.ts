import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/autograd/tape.ts';
import { itemsPerUser, type Split } from '../../src/data/split.ts';
import { ConfigError, DataError } from '../../src/errors.ts';
import { FullRanking } from '../../src/evaluate/full-ranking.ts';
import type { ModelConfig } from '../../src/models/config.ts';
import { useGpu } from '../gpu-fixture.ts';
import { CONFIG, distinctModel, float64Logits, type RandomModel, randomModel } from '../models/random-model.ts';
import { Draws, expectClose } from '../numbers.ts';
import { fullRank, topItems } from '../reference/pairs.ts';

const on = useGpu();
const NONE = 0xffffffff;

const MODELS: [string, Partial<ModelConfig>][] = [
  ['mf', { model: 'mf' }],
  ['gmf', { model: 'gmf' }],
  ['gmf, by fours', { model: 'gmf', gmfDim: 8 }],
  ['mlp', { model: 'mlp' }],
  ['mlp without hidden layers', { model: 'mlp', mlpLayers: [] }],
  ['mlp of one hidden layer', { model: 'mlp', mlpLayers: [9] }],
  ['neumf', {}],
  ['neumf without hidden layers', { mlpLayers: [] }],
  ['neumf, by fours', { gmfDim: 4, mlpLayers: [16, 8, 8] }],
  ['two towers', { model: 'two-tower' }],
  ['two towers, by fours', { model: 'two-tower', mlpLayers: [8, 4] }],
  ['two towers without layers', { model: 'two-tower', mlpLayers: [] }],
  ['neumf, layers of both kinds', { gmfDim: 4, mlpLayers: [8, 5, 8, 16] }],
];

/** Four of five users tested; one has seen nothing, one nearly all, and of one the held-out item is a training item. */
function randomSplit({ users, items }: Pick<ModelConfig, 'users' | 'items'>): Split {
  const draws = new Draws(users + items);
  const pairs: [number, number][] = [];
  for (let user = 0; user < users; user++) {
    const chance = user === 1 ? 0 : user === 2 ? 0.97 : 0.3;
    for (let item = 0; item < items; item++) if (draws.uniform() < chance) pairs.push([user, item]);
  }
  const tested = Array.from({ length: users }, (_, user) => users - 1 - user).filter((user) => user % 5 !== 4);
  const taken = new Set(pairs.map(String));
  const free = (user: number) => {
    for (;;) {
      const [item] = draws.ids(1, items);
      if (!taken.has(String([user, item]))) return item!;
    }
  };
  const test = { users: Uint32Array.from(tested), items: Uint32Array.from(tested, free) };
  const again = tested.indexOf(3);
  test.items[again] = pairs.find(([user]) => user === 3)![1];
  const validated = tested.filter((user) => user % 2 && user !== 3);
  const columns = [0, 1].map((which) => Uint32Array.from(pairs, (pair) => pair[which]!));
  return {
    users,
    items,
    train: itemsPerUser({ users: columns[0]!, items: columns[1]! }, users),
    validation: { users: Uint32Array.from(validated), items: Uint32Array.from(validated, free) },
    test,
    negatives: null,
    untested: users - tested.length,
  };
}

function seenBy({ train, validation }: Split, user: number): Set<number> {
  const seen = new Set(train.items.subarray(train.offsets[user], train.offsets[user + 1]));
  validation!.users.forEach((other, i) => {
    if (other === user) seen.add(validation!.items[i]!);
  });
  return seen;
}

/** Each user's logits of all items, by the model's forward pass on the device. */
async function forwardLogits({ model, config }: RandomModel): Promise<number[][]> {
  const pairs = Array.from({ length: config.users * config.items }, (_, i) => i);
  const users = tensor(
    on.gpu,
    Uint32Array.from(pairs, (i) => Math.floor(i / config.items)),
  );
  const items = tensor(
    on.gpu,
    Uint32Array.from(pairs, (i) => i % config.items),
  );
  const logits = await model.evaluation()(users, items).data();
  return Array.from({ length: config.users }, (_, user) => [
    ...logits.slice(user * config.items, (user + 1) * config.items),
  ]);
}

describe.each(MODELS)('%s', (_, change) => {
  it.each([false, true])('is ranked as one that scores all pairs, batch norm %s', async (batchNorm) => {
    const { random, exact } = distinctModel(on.gpu, { ...change, batchNorm }, 3);
    const split = randomSplit(random.config);
    const { users, items } = split.test;
    const ranking = new FullRanking(on.gpu, random.model, split);
    const ranks = (logits: readonly number[][]) =>
      Array.from(users, (user, i) => fullRank(logits[user]!, items[i]!, seenBy(split, user)));
    const expected = ranks(exact);
    expect(new Set(expected).size).toBeGreaterThan(8);
    expect([...(await ranking.ranks())]).toEqual(expected);
    expect(ranks(await forwardLogits(random))).toEqual(expected);

    const asked = Uint32Array.of(7, 2, 1, 0, 7, 22);
    const top = await ranking.topK(asked, 5);
    const best = Array.from(asked, (user) => topItems(exact[user]!, seenBy(split, user), 5));
    expect([...top.items]).toEqual(best.flat());
    const logits = best.flatMap((list, i) =>
      list.map((item) => (item === NONE ? Number.NEGATIVE_INFINITY : exact[asked[i]!]![item]!)),
    );
    expect(best[1]!.includes(NONE), 'user 2 has hardly an unseen item').toBe(true);
    const largest = Math.max(...exact.flat().map(Math.abs));
    const there = (_: number, i: number) => logits[i] !== Number.NEGATIVE_INFINITY;
    expect([...top.logits].filter((value, i) => !there(value, i))).toEqual(
      logits.filter((value) => value === -Infinity),
    );
    const finite = logits.filter(there);
    expectClose([...top.logits].filter(there), finite, { relative: 2e-6, scale: finite.map(() => largest) });
  });
});

describe.each([1, 100, 500, 1000])('with at most %i pairs scored together', (pairs) => {
  it.each([[{ mlpLayers: [16, 8] }], [{ mlpLayers: [7, 5, 3] }], [{ model: 'gmf' as const }]])(
    'ranks and the best are the same, %j',
    async (change) => {
      // Chunks of 8 or 16 users, and of all 19 tested ones; blocks of 1, 12 or all 61 items.
      const { model, config } = randomModel(on.gpu, change, 4);
      const split = randomSplit(config);
      const [whole, divided] = [new FullRanking(on.gpu, model, split), new FullRanking(on.gpu, model, split, pairs)];
      expect(await divided.ranks()).toEqual(await whole.ranks());
      const users = Uint32Array.from({ length: 21 }, (_, i) => 22 - i);
      expect(await divided.topK(users, 9)).toEqual(await whole.topK(users, 9));
    },
  );
});

it('ties count against the model, and in the best items the lower one stands first', async () => {
  // All items stand for one of seven.
  const repeat = (name: string, data: Float32Array) => {
    if (!name.endsWith('item_emb.weight')) return;
    const dim = data.length / CONFIG.items;
    data.forEach((_, i) => {
      data[i] = data[(Math.floor(i / dim) % 7) * dim + (i % dim)]!;
    });
  };
  const { random, exact: logits } = distinctModel(on.gpu, { batchNorm: true }, 5, repeat);
  const split = randomSplit(CONFIG);
  const ranking = new FullRanking(on.gpu, random.model, split);
  const expected = Array.from(split.test.users, (user, i) =>
    fullRank(logits[user]!, split.test.items[i]!, seenBy(split, user)),
  );
  expect([...(await ranking.ranks())]).toEqual(expected);
  const all = Uint32Array.from({ length: CONFIG.users }, (_, user) => user);
  const top = await ranking.topK(all, 20);
  expect([...top.items]).toEqual([...all].flatMap((user) => topItems(logits[user]!, seenBy(split, user), 20)));
});

it('what is not a number counts against the model, and is recommended last', async () => {
  const [badUser, badItem] = [6, 11];
  const random = randomModel(on.gpu, {}, 6);
  const spoil = (name: string, from: number, to: number) => {
    const data = Float32Array.from(random.weights.get(name)!).fill(Number.NaN, from, to);
    random.model.parameters.get(name).write(data); // no file may have it
    random.weights.set(name, [...data]);
  };
  spoil('gmf_user_emb.weight', badUser * 6, badUser * 6 + 6);
  spoil('gmf_item_emb.weight', badItem * 6, badItem * 6 + 1);
  const split = randomSplit(CONFIG);
  split.test.items[split.test.users.indexOf(8)] = badItem;
  const ranking = new FullRanking(on.gpu, random.model, split);
  const logits = float64Logits(random);
  const expected = Array.from(split.test.users, (user, i) =>
    fullRank(logits[user]!, split.test.items[i]!, seenBy(split, user)),
  );
  expect([...(await ranking.ranks())]).toEqual(expected);
  const top = await ranking.topK(Uint32Array.of(0, badUser), CONFIG.items + 1);
  for (const [row, user] of [0, badUser].entries()) {
    const own = top.items.slice(row * (CONFIG.items + 1), (row + 1) * (CONFIG.items + 1));
    expect([...own]).toEqual(topItems(logits[user]!, seenBy(split, user), CONFIG.items + 1));
  }
});

it('follows the weights of the moment, and asking twice gives the same', async () => {
  const { model, config } = randomModel(on.gpu, { batchNorm: true }, 7);
  const ranking = new FullRanking(on.gpu, model, randomSplit(config));
  await ranking.compile();
  const first = await ranking.ranks();
  expect(await ranking.ranks()).toEqual(first);
  for (const name of ['output_layer.weight', 'mlp.1.running_mean']) {
    const before = await ranking.ranks();
    const weights = model.parameters.get(name);
    weights.write((await weights.data()).map((value) => -value) as Float32Array<ArrayBuffer>);
    expect(await ranking.ranks()).not.toEqual(before);
  }
});

it('refuses what cannot be', async () => {
  const { model, config } = randomModel(on.gpu, {}, 8);
  const split = randomSplit(config);
  const nobody = { users: new Uint32Array(0), items: new Uint32Array(0) };
  expect(() => new FullRanking(on.gpu, model, { ...split, test: nobody })).toThrow(DataError);
  expect(() => new FullRanking(on.gpu, model, split, 0.5)).toThrow('pairs 0.5: an integer of at least 1');
  const ranking = new FullRanking(on.gpu, model, split);
  await expect(ranking.topK(Uint32Array.of(0), 0)).rejects.toThrow(ConfigError);
  await expect(ranking.topK(Uint32Array.of(1, CONFIG.users), 3)).rejects.toThrow(/user number 23: a number below 23/);
  expect((await ranking.topK(new Uint32Array(0), 3)).items).toHaveLength(0);
});
