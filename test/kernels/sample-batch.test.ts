import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleBatch, shuffleHalfBits } from '../../src/kernels/sample-batch.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';
import { drawEpoch, type Epochs, type Sample } from '../reference/sample-batch.ts';

const on = useGpu();
const draws = new Draws(4);

/** A third of the users has no interaction; the others have one to eight of 40 items, user 1 has all but item 17. */
const POSITIVES = Array.from({ length: 30 }, (_, user) => {
  if (user === 1) return Array.from({ length: 40 }, (_, item) => item).filter((item) => item !== 17);
  return user % 3 ? [...new Set(draws.ids(1 + (user % 8), 40))].toSorted((a, b) => a - b) : [];
});
/** Any thresholds and other items make an alias table. */
const ALIAS = Array.from({ length: 40 }, () => [...draws.ids(1, 2 ** 32), ...draws.ids(1, 40)] as [number, number]);
const EPOCHS: Epochs = { positives: POSITIVES, items: 40, negatives: 4, seed: 42, alias: null };

/** The samples of an epoch, candidate by candidate, as the device draws them batch by batch; `most` ends after that many batches. */
async function drawn(epochs: Epochs, epoch: number, batchSize: number, most = Infinity): Promise<Sample[]> {
  const { positives, items, negatives, candidates = 1, seed, alias } = epochs;
  const users = positives.flatMap((own, user) => own.map(() => user));
  const samples = users.length * (1 + negatives);
  const batches = Math.ceil(samples / batchSize);
  const offsets = [0, ...positives].map((_, user) => positives.slice(0, user).flat().length);
  const all: Sample[] = [];
  for (let batch = 0; batch < Math.min(batches, most); batch++) {
    const rows = Math.min(batchSize, samples - batch * batchSize);
    const trial = new Trial(on.gpu);
    const pairs = rows * candidates;
    const out = {
      users: trial.u32('users', pairs),
      items: trial.u32('items', pairs),
      labels: trial.f32('labels', rows),
    };
    const views = {
      step: trial.input(Uint32Array.of(epoch * batches + batch)),
      positiveUsers: trial.input(Uint32Array.from(users)),
      offsets: trial.input(Uint32Array.from(offsets)),
      positiveItems: trial.input(Uint32Array.from(positives.flat())),
      alias: trial.input(Uint32Array.from(alias?.flat() ?? [0, 0])),
      users: out.users.view,
      items: out.items.view,
      labels: out.labels.view,
    };
    const size = { rows, candidates, batchSize, batches, positives: users.length, negatives, items, seed };
    sampleBatch(trial.plan, views, size, alias !== null);
    trial.plan.run();
    const [u, i, l] = [await out.users.data(), await out.items.data(), await out.labels.data()];
    all.push(...Array.from(u, (user, pair) => ({ user, item: i[pair]!, label: l[Math.floor(pair / candidates)]! })));
  }
  return all;
}

const text = ({ user, item, label }: Sample) => `${user}:${item}:${label}`;

describe('an epoch of batches', () => {
  it.each([
    ['uniform negatives', null],
    ['negatives by popularity', ALIAS],
  ])('with %s is the reference’s, a shorter last batch included', async (_, alias) => {
    const epochs = { ...EPOCHS, alias };
    for (const [epoch, batchSize] of [
      [0, 64],
      [0, 97],
      [7, 1000],
    ] as const) {
      expect(await drawn(epochs, epoch, batchSize)).toEqual([...drawEpoch(epochs, epoch)]);
    }
  });

  it('with several candidates for each negative is the reference’s, the first ones being what is drawn without', async () => {
    for (const candidates of [3, 8]) {
      const samples = await drawn({ ...EPOCHS, candidates }, 1, 97);
      expect(samples).toEqual([...drawEpoch({ ...EPOCHS, candidates }, 1)]);
      expect(samples.filter((_, pair) => pair % candidates === 0)).toEqual([...drawEpoch(EPOCHS, 1)]);
    }
  });

  it.each([1, 2, 3, 4, 5, 16, 17, 1000, 4097])('visits each of %i positives once', async (count) => {
    const epochs = {
      positives: [Array.from({ length: count }, (_, i) => i)],
      items: count,
      negatives: 0,
      seed: 1,
      alias: null,
    };
    const samples = await drawn(epochs, 3, 1024);
    expect(samples.map(({ item }) => item).toSorted((a, b) => a - b)).toEqual(epochs.positives[0]);
    expect(samples.every(({ label }) => label === 1)).toBe(true);
  });

  it('has each positive once and beside it as many negatives as asked for, none among the user’s training items', async () => {
    const samples = await drawn(EPOCHS, 2, 100);
    const positives = samples.filter(({ label }) => label === 1).map(text);
    expect(positives.toSorted()).toEqual(
      POSITIVES.flatMap((own, user) => own.map((item) => text({ user, item, label: 1 }))).toSorted(),
    );
    POSITIVES.forEach((own, user) => {
      const negatives = samples.filter((sample) => sample.user === user && sample.label === 0);
      expect(negatives).toHaveLength(4 * own.length);
      expect(negatives.filter(({ item }) => own.includes(item))).toEqual([]);
    });
  });

  it('is the same in every run, and another one in the next epoch and with another seed', async () => {
    const first = (await drawn(EPOCHS, 0, 1000)).map(text);
    expect((await drawn(EPOCHS, 0, 1000)).map(text)).toEqual(first);
    const others = [await drawn(EPOCHS, 1, 1000), await drawn({ ...EPOCHS, seed: 43 }, 0, 1000)];
    for (const samples of others) {
      const inPlace = samples.filter((sample, i) => text(sample) === first[i]).length;
      expect(inPlace).toBeLessThan(first.length / 10);
      expect(samples.map(text).toSorted()).not.toEqual(first.toSorted()); // other negatives, not only another order
    }
  });
});

describe('any users, items, sizes of a batch and seeds', () => {
  const ITEMS = 6;
  const word = fc.nat(0xffffffff);
  const own = fc
    .uniqueArray(fc.nat(ITEMS - 1), { maxLength: ITEMS - 1 })
    .map((items) => items.toSorted((a, b) => a - b));
  const column = fc.tuple(word, fc.nat(ITEMS - 1));
  const epochs: fc.Arbitrary<Epochs> = fc.record({
    positives: fc.array(own, { minLength: 1, maxLength: 5 }).filter((lists) => lists.flat().length > 0),
    items: fc.constant(ITEMS),
    negatives: fc.nat(3),
    candidates: fc.integer({ min: 1, max: 3 }),
    seed: word,
    alias: fc.option(fc.array(column, { minLength: ITEMS, maxLength: ITEMS })),
  });

  it('give each positive once, and no negative that its user has taken', async () => {
    const property = fc.asyncProperty(
      epochs,
      fc.nat(1000),
      fc.integer({ min: 3, max: 40 }),
      async (given, epoch, batchSize) => {
        const { positives, negatives, candidates } = given;
        const samples = await drawn(given, epoch, batchSize);
        const pairs = positives.flatMap((items, user) =>
          items.flatMap((item) => Array(candidates).fill(`${user}:${item}:1`)),
        );
        expect(
          samples
            .filter(({ label }) => label === 1)
            .map(text)
            .sort(),
        ).toEqual(pairs.sort());
        const drawnBeside = samples.filter(({ label }) => label === 0);
        expect(drawnBeside).toHaveLength(pairs.length * negatives);
        expect(drawnBeside.filter(({ user, item }) => positives[user]!.includes(item))).toEqual([]);
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 30 });
  });
});

describe('a user who has interacted with nearly everything', () => {
  it('gets the one free item as every negative', async () => {
    const negatives = (await drawn(EPOCHS, 0, 1000)).filter(({ user, label }) => user === 1 && label === 0);
    expect(new Set(negatives.map(({ item }) => item))).toEqual(new Set([17]));
  });

  it('among thousands of items gets the next free one, when no draw hits any', async () => {
    const free = [1234, 2900];
    const positives = [Array.from({ length: 3000 }, (_, item) => item).filter((item) => !free.includes(item))];
    const epochs = { positives, items: 3000, negatives: 1, seed: 5, alias: null };
    const samples = await drawn(epochs, 0, 64, 1);
    expect(samples).toEqual([...drawEpoch(epochs, 0).take(64)]);
    const negatives = samples.filter(({ label }) => label === 0).map(({ item }) => item);
    expect(new Set(negatives)).toEqual(new Set(free));
  });
});

describe('20,000 negatives of one user', () => {
  const epochs = { positives: [[3, 10]], items: 40, negatives: 9999, seed: 6, alias: null };

  it('are uniform over the items that are free', async () => {
    expectFrequencies(await drawn(epochs, 0, 32768), Array(40).fill(1));
  });

  it('follow the alias table over the items that are free', async () => {
    const weights = ALIAS.map(([threshold]) => threshold / 2 ** 32);
    for (const [threshold, other] of ALIAS) weights[other]! += 1 - threshold / 2 ** 32;
    expectFrequencies(await drawn({ ...epochs, alias: ALIAS }, 0, 32768), weights);
  });

  /** Pearson's chi-square test; weights of the taken items are left out. */
  function expectFrequencies(samples: Sample[], weights: number[]): void {
    const counts = new Array(40).fill(0);
    for (const { item, label } of samples) if (label === 0) counts[item]++;
    expect([counts[3], counts[10]]).toEqual([0, 0]);
    const free = weights.map((weight, item) => (item === 3 || item === 10 ? 0 : weight));
    const total = free.reduce((sum, weight) => sum + weight, 0);
    const expected = free.map((weight) => (weight / total) * 2 * 9999);
    const chiSquare = expected.reduce((sum, e, item) => sum + (e ? (counts[item] - e) ** 2 / e : 0), 0);
    const freedom = free.filter((weight) => weight > 0).length - 1;
    expect(chiSquare).toBeLessThan(freedom + 4 * Math.sqrt(2 * freedom));
  }
});

it('the shuffle’s domain holds the samples, and less than four times as many', () => {
  const sizes = [1, 2, 4, 5, 16, 17, 64, 65, 4 ** 10, 4 ** 10 + 1, 2 ** 30, 2 ** 30 - 1, 4 ** 15];
  for (const samples of sizes) {
    const domain = 4 ** shuffleHalfBits(samples);
    expect(domain).toBeGreaterThanOrEqual(samples);
    if (samples > 1) expect(domain).toBeLessThan(4 * samples);
  }
});
