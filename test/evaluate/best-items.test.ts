/** The best items among what masks or candidates leave, against float64 scores of all pairs. */
import { describe, expect, it } from 'vitest';
import { joinLists } from '../../src/data/item-lists.ts';
import { ConfigError } from '../../src/errors.ts';
import { bestCandidates } from '../../src/evaluate/best-candidates.ts';
import { bestItems } from '../../src/evaluate/best-items.ts';
import type { TopItems } from '../../src/evaluate/top-items.ts';
import { useGpu } from '../gpu-fixture.ts';
import { CONFIG, distinctModel } from '../models/random-model.ts';
import { Draws, expectClose } from '../numbers.ts';
import { topItems } from '../reference/pairs.ts';

const on = useGpu();
const USERS = Uint32Array.of(22, 3, 3, 0, 11, 7, 8, 9, 10);
const everything = new Set(Array.from({ length: CONFIG.items }, (_, item) => item));

/** A list a user, ascending; the second has none, the third all items. */
function drawLists(seed: number): number[][] {
  const draws = new Draws(seed);
  return Array.from(USERS, (_, row) => {
    const chance = row === 1 ? 0 : row === 2 ? 1 : 0.4;
    return [...everything].filter(() => draws.uniform() < chance);
  });
}

function expectTop(top: TopItems, logits: readonly number[][], left: (row: number) => ReadonlySet<number>, k: number) {
  const expected = Array.from(USERS, (user, row) => topItems(logits[user]!, everything.difference(left(row)), k));
  expect([...top.items]).toEqual(expected.flat());
  const exact = expected.flatMap((items, row) => items.map((item) => logits[USERS[row]!]![item] ?? -Infinity));
  const absent = (values: ArrayLike<number>) => Array.from(values, (value) => value === -Infinity);
  expect(absent(top.logits)).toEqual(absent(exact));
  const there = (values: ArrayLike<number>) => Array.from(values).filter((value) => value !== -Infinity);
  const scale = there(exact).map(() => Math.max(...logits.flat().map(Math.abs)));
  expectClose(there(top.logits), there(exact), { relative: 2e-6, scale });
}

describe.each([{}, { model: 'mf' }, { batchNorm: true, mlpLayers: [8, 8, 4], gmfDim: 4 }] as const)('%j', (change) => {
  it.each([1, 10, 61])('the %i best are those of all items but seen and left out ones', async (k) => {
    const { random, exact } = distinctModel(on.gpu, change, 11);
    const seen = drawLists(1);
    const allowed = new Draws(2).ids(CONFIG.items, 4).map((draw) => Math.min(draw, 1));
    const top = await bestItems(on.gpu, random.model, USERS, k, { seen: joinLists(seen), allowed });
    const left = (row: number) =>
      new Set([...everything].filter((item) => allowed[item]).filter((item) => !seen[row]!.includes(item)));
    expectTop(top, exact, left, k);
  });

  it.each([1, 10, 61])('the %i best candidates are those of each user’s own list', async (k) => {
    const { random, exact } = distinctModel(on.gpu, change, 12);
    const lists = drawLists(3);
    const top = await bestCandidates(on.gpu, random.model, USERS, joinLists(lists), k);
    expectTop(top, exact, (row) => new Set(lists[row]), k);
  });
});

it('more candidates than are scored together come in chunks of users', async () => {
  const { random, exact } = distinctModel(on.gpu, { items: 61 }, 13);
  const users = Uint32Array.from({ length: 700 }, (_, i) => i % CONFIG.users);
  const all = Array.from(users, () => [...everything]);
  const top = await bestCandidates(on.gpu, random.model, users, joinLists(all), 3);
  expect([...top.items]).toEqual(Array.from(users, (user) => topItems(exact[user]!, new Set(), 3)).flat());
});

it('nobody has nothing, and what cannot be is refused', async () => {
  const { random } = distinctModel(on.gpu, {}, 14);
  const nobody = new Uint32Array(0);
  const none = joinLists([]);
  expect((await bestItems(on.gpu, random.model, nobody, 3, { seen: none })).items).toHaveLength(0);
  expect((await bestCandidates(on.gpu, random.model, nobody, none, 3)).items).toHaveLength(0);
  for (const k of [0, 1.5, -1]) {
    await expect(bestCandidates(on.gpu, random.model, USERS, joinLists(drawLists(4)), k)).rejects.toThrow(ConfigError);
  }
  await expect(bestItems(on.gpu, random.model, Uint32Array.of(23), 3, { seen: joinLists([[]]) })).rejects.toThrow(
    'user number 23: a number below 23 would be right',
  );
});
