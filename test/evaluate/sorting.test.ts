/** Ranks and best items, by whatever way they are found, are those of a sort of all logits. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinLists } from '../../src/data/item-lists.ts';
import type { Split } from '../../src/data/split.ts';
import { bestCandidates } from '../../src/evaluate/best-candidates.ts';
import { bestItems } from '../../src/evaluate/best-items.ts';
import { candidates } from '../../src/evaluate/candidates.ts';
import { FullRanking } from '../../src/evaluate/full-ranking.ts';
import { LeaveOneOut } from '../../src/evaluate/leave-one-out.ts';
import { NO_CANDIDATE } from '../../src/kernels/rank.ts';
import { useGpu } from '../gpu-fixture.ts';
import { float64Logits, randomModel } from '../models/random-model.ts';

const on = useGpu();
const RUNS = { seed: 1, numRuns: 25 };

interface World {
  readonly items: number;
  /** By their held-out item and their training items. */
  readonly users: readonly { readonly heldOut: number; readonly taken: readonly number[] }[];
  /** Of a model of theirs, in turn. */
  readonly weights: readonly number[];
}

const world: fc.Arbitrary<World> = fc.integer({ min: 1, max: 40 }).chain((items) =>
  fc.record({
    items: fc.constant(items),
    users: fc.array(
      fc.record({ heldOut: fc.nat(items - 1), taken: fc.uniqueArray(fc.nat(items - 1)) }).map(({ heldOut, taken }) => ({
        heldOut,
        taken: taken.filter((item) => item !== heldOut).sort((a, b) => a - b),
      })),
      { minLength: 1, maxLength: 6 },
    ),
    weights: fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 60 }),
  }),
);
/** Whole weights have exact logits: what float64 finds equal is so on the device, of which there is much. */
function setUp({ items, users, weights }: World) {
  const lists = users.map(({ taken }) => taken);
  let next = 0;
  const edit = (_: string, data: Float32Array) => {
    for (let i = 0; i < data.length; i++) data[i] = weights[next++ % weights.length]!;
  };
  const random = randomModel(on.gpu, { model: 'mf', users: users.length, items, gmfDim: 3 }, 1, edit);
  const split: Split = {
    users: users.length,
    items,
    train: joinLists(lists),
    validation: null,
    test: { users: Uint32Array.from(users.keys()), items: Uint32Array.from(users, ({ heldOut }) => heldOut) },
    negatives: null,
    untested: 0,
  };
  return { model: random.model, logits: float64Logits(random), split, all: split.test.users };
}

/** Items by their logits, the highest first, equals in the order given. */
const sorted = (items: readonly number[], logits: readonly number[]) =>
  items.toSorted((a, b) => logits[b]! - logits[a]!);

const catalogue = ({ items }: World) => [...Array(items).keys()];
const unseen = (given: World, user: number) =>
  catalogue(given).filter((item) => !given.users[user]!.taken.includes(item));

/** The held-out item's place among the items, behind its equals. */
const rankAmong = (items: readonly number[], heldOut: number, logits: readonly number[]) =>
  sorted([...items.filter((item) => item !== heldOut), heldOut], logits).indexOf(heldOut);

const firstOf = (items: readonly number[], k: number) => Array.from({ length: k }, (_, i) => items[i] ?? NO_CANDIDATE);

describe('ranks are places in a sort, behind all equals:', () => {
  it('among all unseen items', async () => {
    const property = fc.asyncProperty(world, fc.integer({ min: 1, max: 300 }), async (given, pairs) => {
      const { model, logits, split } = setUp(given);
      const expected = given.users.map(({ heldOut }, user) => rankAmong(unseen(given, user), heldOut, logits[user]!));
      expect([...(await new FullRanking(on.gpu, model, split, pairs).ranks())]).toEqual(expected);
    });
    await fc.assert(property, RUNS);
  });

  it('among sampled candidates, which are different unseen items', async () => {
    const property = fc.asyncProperty(world, fc.nat(0xffffffff), fc.nat(8), async (given, seed, count) => {
      const { model, logits, split } = setUp(given);
      const drawn = candidates(split, seed, count);
      const expected = given.users.map(({ heldOut }, user) => {
        const row = [...drawn.items.subarray(user * drawn.width, (user + 1) * drawn.width)];
        const others = row.slice(1).filter((item) => item !== NO_CANDIDATE);
        const free = unseen(given, user).filter((item) => item !== heldOut);
        expect(row[0]).toBe(heldOut);
        expect(new Set(others).size).toBe(Math.min(count, free.length));
        expect(others.filter((item) => !free.includes(item))).toEqual([]);
        return rankAmong(others, heldOut, logits[user]!);
      });
      expect([...(await new LeaveOneOut(on.gpu, () => model.evaluation(), drawn).ranks())]).toEqual(expected);
    });
    await fc.assert(property, RUNS);
  });
});

describe('the k best items are the first of a sort, of equals the lower one:', () => {
  const k = fc.integer({ min: 1, max: 45 });

  it('of all items but the seen ones and those not allowed', async () => {
    const property = fc.asyncProperty(
      world,
      k,
      fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
      async (given, k, may) => {
        const { model, logits, split, all } = setUp(given);
        const allowed = Uint32Array.from(may.slice(0, given.items), Number);
        const { items } = await bestItems(on.gpu, model, all, k, { seen: split.train, allowed });
        const left = (user: number) => unseen(given, user).filter((item) => allowed[item]);
        expect([...items]).toEqual([...all].flatMap((user) => firstOf(sorted(left(user), logits[user]!), k)));
      },
    );
    await fc.assert(property, RUNS);
  });

  it('of each user’s own candidates', async () => {
    const property = fc.asyncProperty(world, k, async (given, k) => {
      const { model, logits, split, all } = setUp(given);
      const { items } = await bestCandidates(on.gpu, model, all, split.train, k);
      const expected = given.users.flatMap(({ taken }, user) => firstOf(sorted(taken, logits[user]!), k));
      expect([...items]).toEqual(expected);
    });
    await fc.assert(property, RUNS);
  });
});
