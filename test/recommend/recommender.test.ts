/** Recommendations in the data's ids, against float64 scores of the same weights. */
import { beforeAll, describe, expect, it } from 'vitest';
import { StringIds } from '../../src/data/id-map.ts';
import { ConfigError, DataError } from '../../src/errors.ts';
import type { ModelConfig } from '../../src/models/config.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { retrieveThenRank } from '../../src/recommend/two-stages.ts';
import type { RecommendOptions } from '../../src/recommend/types.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { useGpu } from '../gpu-fixture.ts';
import { distinctModel } from '../models/random-model.ts';
import { expectClose } from '../numbers.ts';
import { GROUPS, splitOf, trained } from '../train/fixture.ts';

const on = useGpu();
const [USERS, ITEMS] = [23, 61];
const ids = {
  userIds: new StringIds(Array.from({ length: USERS }, (_, user) => `user ${user}`)),
  itemIds: new StringIds(Array.from({ length: ITEMS }, (_, item) => `item ${item}`)),
};
const names = new Map([
  ['item 7', 'Seven'],
  ['item 9', '=Nine()'],
]);
/** User u has taken every (u + 2)-th item, the last of them held out; user 22 has taken one alone. */
const taken = Array.from({ length: USERS }, (_, user) =>
  [...Array(ITEMS).keys()].filter((item) => (user === 22 ? item === 5 : item % (user + 2) === 0)),
);
const dataset = {
  ...ids,
  split: splitOf(
    taken.flatMap((own, user) => own.map((item) => [user, item] as const)),
    USERS,
    ITEMS,
  ),
};

function recommenderOf(change: Partial<ModelConfig>, seed: number, edit?: (name: string, data: Float32Array) => void) {
  const { random, exact } = distinctModel(on.gpu, change, seed, edit);
  return { recommender: new Recommender(random.model, ids, { dataset, names }), exact, weights: random.weights };
}

/** The ids in the order that float64 logits give them, ties by the lower item. */
function expected(logits: readonly number[], keep: (item: number) => boolean, k: number): string[] {
  const order = [...logits.keys()].filter(keep).sort((a, b) => logits[b]! - logits[a]! || a - b);
  return order.slice(0, k).map((item) => `item ${item}`);
}

const MODELS = [{}, { model: 'mf' }, { model: 'mlp', batchNorm: true }, { model: 'two-tower' }] as const;

describe.each(MODELS)('%j', (change) => {
  it('recommends the best items that a user has not taken, held-out ones left out too, with scores and names', async () => {
    const { recommender, exact } = recommenderOf(change, 21);
    const users = [3, 0, 22];
    const lists = await recommender.recommend(
      users.map((user) => `user ${user}`),
      { k: 40 },
    );
    for (const [row, user] of users.entries()) {
      const logits = exact[user]!;
      const list = lists[row]!;
      expect(list.map(({ item }) => item)).toEqual(expected(logits, (item) => !taken[user]!.includes(item), 40));
      const own = list.map(({ item }) => logits[ids.itemIds.indexOf(item)!]!);
      const largest = own.map(() => Math.max(...logits.map(Math.abs)));
      expectClose(
        list.map(({ logit }) => logit),
        own,
        { relative: 2e-6, scale: largest },
      );
      for (const { item, name, score, logit } of list) {
        expect(score).toBeCloseTo(1 / (1 + Math.exp(-logit)), 12);
        expect(name).toBe(names.get(item));
      }
    }
    expect(lists[1], 'user 0 has taken every second item').toHaveLength(30);
    expect(await recommender.recommend('user 3', { k: 40 })).toEqual(lists[0]);
  });

  it('recommends within what it is asked for', async () => {
    const { recommender, exact } = recommenderOf(change, 22);
    const asked = async (options: RecommendOptions) =>
      (await recommender.recommend('user 1', options)).map(({ item }) => item);
    const seen = (item: number) => taken[1]!.includes(item);
    expect(await asked({})).toEqual(expected(exact[1]!, (item) => !seen(item), 10));
    expect(await asked({ includeSeen: true, k: 100 })).toEqual(expected(exact[1]!, () => true, 61));
    const few = ['item 1', 'item 3', 'item 7', 'item 8', 'item 60'];
    const among = (item: number) => few.includes(`item ${item}`) && !seen(item);
    expect(await asked({ candidates: few })).toEqual(expected(exact[1]!, among, 10));
    const left = (item: number) => among(item) && item !== 7;
    expect(await asked({ candidates: few, exclude: ['item 7'] })).toEqual(expected(exact[1]!, left, 10));
    const best = (await asked({}))[0]!;
    expect(await asked({ exclude: [best], k: 1 })).toEqual([(await asked({}))[1]]);
    expect(await asked({ candidates: [] })).toEqual([]);
  });
});

it('of equal scores the item that came first in the data is first', async () => {
  const alike = (name: string, data: Float32Array) => name.includes('item_emb') && data.fill(0.5);
  const { recommender } = recommenderOf({}, 23, alike);
  const list = await recommender.recommend('user 21', { k: 5, exclude: ['item 2'] });
  expect(list.map(({ item }) => item)).toEqual(['item 1', 'item 3', 'item 4', 'item 5', 'item 6']);
});

describe('similar', () => {
  const cosine = (a: readonly number[], b: readonly number[]) => {
    const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, d) => sum + value * y[d]!, 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };

  it.each([
    ['mf', ['gmf']],
    ['gmf', ['gmf']],
    ['neumf', ['gmf', 'mlp']],
  ] as const)('items and users of %s are those of the largest cosine over %j', async (model, branches) => {
    const { recommender, weights } = recommenderOf({ model }, 24);
    const rows = (kind: string, count: number) =>
      Array.from({ length: count }, (_, row) =>
        branches.flatMap((branch) => {
          const table = weights.get(`${branch}_${kind}_emb.weight`)!;
          return table.slice((row * table.length) / count, ((row + 1) * table.length) / count);
        }),
      );
    for (const [kind, count, found] of [
      ['item', ITEMS, await recommender.similarItems('item 9', 7)],
      ['user', USERS, await recommender.similarUsers('user 9', 7)],
    ] as const) {
      const table = rows(kind, count);
      const cosines = table.map((row) => cosine(table[9]!, row));
      const order = [...table.keys()].filter((row) => row !== 9).sort((a, b) => cosines[b]! - cosines[a]!);
      expect(found.map(({ id }) => id)).toEqual(order.slice(0, 7).map((row) => `${kind} ${row}`));
      expectClose(
        found.map((other) => other.cosine),
        order.slice(0, 7).map((row) => cosines[row]!),
        { relative: 1e-5 },
      );
    }
    expect(await recommender.similarItems('item 9', 1000)).toHaveLength(ITEMS - 1);
    expect((await recommender.similarItems('item 1', 60)).find(({ id }) => id === 'item 7')!.name).toBe('Seven');
  });
});

it('a second stage ranks what the first one retrieved, and nothing else', async () => {
  const { recommender: retriever, exact: first } = recommenderOf({ model: 'two-tower' }, 25);
  const { recommender: ranker, exact: second } = recommenderOf({}, 26);
  const users = [4, 2, 11];
  const lists = await retrieveThenRank(
    retriever,
    ranker,
    users.map((user) => `user ${user}`),
    { retrieve: 9, k: 4 },
  );
  for (const [row, user] of users.entries()) {
    const retrieved = expected(first[user]!, (item) => !taken[user]!.includes(item), 9);
    const ranked = expected(second[user]!, (item) => retrieved.includes(`item ${item}`), 4);
    expect(lists[row]!.map(({ item }) => item)).toEqual(ranked);
  }
});

describe('what cannot be is refused, by name:', () => {
  let recommender: Recommender;
  beforeAll(() => {
    recommender = new Recommender(recommenderOf({}, 27).recommender.model, ids, { dataset, name: 'model.safetensors' });
  });
  const KNOWN_ITEMS = 'it knows 61 items, such as "item 0", "item 1", "item 2"';

  it.each<[string, (one: Recommender) => Promise<unknown>, string]>([
    ['a user', (one) => one.recommend(['user 1', 'User 2']), 'no user "User 2"; it knows 23 users, such as "user 0"'],
    ['an excluded item', (one) => one.recommend('user 1', { exclude: ['7'] }), `no item "7"; ${KNOWN_ITEMS}`],
    ['a candidate', (one) => one.recommend('user 1', { candidates: ['8'] }), `no item "8"; ${KNOWN_ITEMS}`],
    ['an item to be like', (one) => one.similarItems(''), `no item ""; ${KNOWN_ITEMS}`],
    ['a user to be like', (one) => one.similarUsers('61'), 'no user "61"'],
    ['an item to rank', (one) => one.rank(['user 1'], [['item 99']]), `no item "item 99"; ${KNOWN_ITEMS}`],
  ])('%s that is not known', async (_, ask, message) => {
    const refused = ask(recommender);
    await expect(refused).rejects.toThrow(DataError);
    await expect(refused).rejects.toThrow(`model.safetensors: ${message}`);
  });

  it('no items, or half of one', async () => {
    for (const k of [0, 1.5]) {
      await expect(recommender.recommend('user 1', { k })).rejects.toThrow(ConfigError);
      await expect(recommender.similarUsers('user 1', k)).rejects.toThrow(`k ${k}: an integer of at least 1`);
    }
  });

  it('recommending what is not seen without knowing what is', async () => {
    const blind = new Recommender(recommender.model, ids);
    await expect(blind.recommend('user 1')).rejects.toThrow(
      'the data set, or including what they have seen, would be right',
    );
    expect(await blind.recommend('user 1', { includeSeen: true })).toHaveLength(10);
    await expect(blind.foldIn([])).rejects.toThrow(DataError);
  });
});

describe('opened from a checkpoint', () => {
  it('it recommends as the trainer’s own model, to the bit, and as the ids of any data set say', async () => {
    const groups = {
      userIds: new StringIds(Array.from({ length: 48 }, (_, user) => `u${user}`)),
      itemIds: new StringIds(Array.from({ length: 80 }, (_, item) => `i${item}`)),
      split: GROUPS,
    };
    const sizes = { preset: 'lesson', gmfDim: 4, mlpDim: 4, mlpLayers: [8, 4] } as const;
    const settings = { ...sizes, epochs: 2, eval: 'none', schedule: 'constant' } as const;
    const trainer = await trained(on.gpu, settings);
    const own = Recommender.of(trainer, groups);
    const bytes = await encodeCheckpoint(trainer, groups);
    const opened = Recommender.open(on.gpu, bytes, { name: 'c', dataset: groups });
    const users = ['u0', 'u47', 'u13'];
    expect(await opened.recommend(users)).toEqual(await own.recommend(users));
    expect(await opened.similarItems('i3', 5)).toEqual(await own.similarItems('i3', 5));

    // Another file: other users first, an item and a user that the model does not know.
    const pairs = [
      ['stranger', 'i1'],
      ['u13', 'i79'],
      ['u13', 'new'],
      ['u13', 'i2'],
      ['u0', 'i5'],
      ['u0', 'i6'],
    ] as const;
    const other = {
      userIds: new StringIds(pairs.map(([user]) => user)),
      itemIds: new StringIds(pairs.map(([, item]) => item)),
    };
    const rows = pairs.map(([user, item]) => [other.userIds.indexOf(user)!, other.itemIds.indexOf(item)!] as const);
    const split = splitOf(rows, other.userIds.size, other.itemIds.size);
    const elsewhere = Recommender.open(on.gpu, bytes, { dataset: { ...other, split } });
    const listed = async (user: string) => (await elsewhere.recommend(user, { k: 80 })).map(({ item }) => item);
    const missing = async (user: string) =>
      [...groups.itemIds.ids].filter(
        (
          (list) => (item: string) =>
            !list.includes(item)
        )(await listed(user)),
      );
    expect(await missing('u13')).toEqual(['i2', 'i79']);
    expect(await missing('u0')).toEqual(['i5', 'i6']);
    expect(await missing('u1')).toEqual([]);
  });
});
