import { describe, expect, it } from 'vitest';
import { type ChunkSize, maskItems, maskSeen, rankItems, topK, topSpansLength } from '../../src/kernels/catalogue.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';
import { fullRank, topItems } from '../reference/pairs.ts';

const on = useGpu();
const NONE = 0xffffffff;

/** Users of a chunk, items, and users in all; the last chunk has fewer users where it does not come out even. */
const SIZES: readonly ChunkSize[] = [
  { users: 1, items: 1, tested: 1 },
  { users: 3, items: 40, tested: 8 },
  { users: 8, items: 300, tested: 16 },
  { users: 5, items: 2500, tested: 7 },
];

describe.each(SIZES)('$users of $tested users a chunk, $items items', (size) => {
  const { users, items, tested } = size;
  const draws = new Draws(users * items);
  // Few different keys, so that there are ties; 1 is not a number, 0 is masked.
  const keys = draws.ids(tested * items, 60).map((key) => (key < 3 ? 1 : 0x80000000 + key));
  const heldOut = draws.ids(tested, items);
  const lists = Array.from({ length: tested }, (_, user) => {
    const drawn = draws.ids(user === 1 ? 3 * items : user === 2 ? 0 : Math.ceil(items / 4), items);
    return [...new Set([...drawn, ...(user % 2 ? [heldOut[user]!] : [])])].sort((a, b) => a - b);
  });
  const offsets = Uint32Array.from({ length: tested + 1 }, (_, user) => lists.slice(0, user).flat().length);
  const logits = (user: number) =>
    Array.from(keys.subarray(user * items, (user + 1) * items), (key) => (key === 1 ? Number.NaN : key));

  /** Runs a plan chunk by chunk, each with its own keys. */
  async function chunks(trial: Trial, record: (views: Record<'step' | 'keys', GPUBufferBinding>) => void) {
    const step = trial.input(Uint32Array.of(0));
    const scored = trial.inPlace('keys', new Uint32Array(users * items));
    record({ step, keys: scored.view });
    const after: Uint32Array[] = [];
    for (let first = 0; first < tested; first += users) {
      const chunk = new Uint32Array(users * items).fill(5);
      chunk.set(keys.subarray(first * items, (first + users) * items));
      on.gpu.write(step.buffer, step.offset!, Uint32Array.of(first / users));
      on.gpu.write(scored.view.buffer, scored.view.offset!, chunk);
      trial.plan.run();
      after.push(await scored.data());
    }
    return after;
  }

  const mask = (trial: Trial, views: Record<'step' | 'keys', GPUBufferBinding>, own = heldOut) =>
    maskSeen(
      trial.plan,
      {
        ...views,
        offsets: trial.input(offsets),
        seenItems: trial.input(Uint32Array.from(lists.flat())),
        heldOut: trial.input(own),
      },
      size,
    );

  it('masks what the users have seen, but not the held-out item', async () => {
    const trial = new Trial(on.gpu);
    const after = await chunks(trial, (views) => mask(trial, views));
    after.forEach((chunk, c) => {
      const expected = new Uint32Array(users * items).fill(5);
      expected.set(keys.subarray(c * users * items, (c + 1) * users * items));
      for (let u = 0; u < users && c * users + u < tested; u++) {
        const user = c * users + u;
        for (const item of lists[user]!) if (item !== heldOut[user]) expected[u * items + item] = 0;
      }
      expect(chunk).toEqual(expected);
    });
  });

  it('masks the items that are not allowed, of all users', async () => {
    const trial = new Trial(on.gpu);
    const allowed = draws.ids(items, 3).map((draw) => Math.min(draw, 1));
    const scored = trial.inPlace('keys', keys.slice(0, users * items));
    maskItems(trial.plan, { allowed: trial.input(allowed), keys: scored.view }, size);
    trial.plan.run();
    expect(await scored.data()).toEqual(keys.slice(0, users * items).map((key, i) => (allowed[i % items] ? key : 0)));
  });

  it('ranks the held-out items among the others', async () => {
    const trial = new Trial(on.gpu);
    const ranks = trial.inPlace('ranks', new Uint32Array(tested));
    await chunks(trial, (views) => {
      mask(trial, views);
      rankItems(trial.plan, { ...views, heldOut: trial.input(heldOut), ranks: ranks.view }, size);
    });
    const expected = lists.map((seen, user) => fullRank(logits(user), heldOut[user]!, new Set(seen)));
    expect([...(await ranks.data())]).toEqual(expected);
  });

  it.each([1, 7, 50])('keeps the %i best', async (k) => {
    const trial = new Trial(on.gpu);
    const best = trial.inPlace('best', new Uint32Array(2 * tested * k));
    const spans = trial.input(new Uint32Array(2 * topSpansLength(size, k)));
    await chunks(trial, (views) => {
      mask(trial, views, new Uint32Array(tested).fill(NONE));
      topK(trial.plan, { ...views, spans, best: best.view }, size, k);
    });
    const expected = lists.flatMap((seen, user) =>
      topItems(logits(user), new Set(seen), k).flatMap((item) => [
        item === NONE ? 0 : keys[user * items + item]!,
        item,
      ]),
    );
    expect([...(await best.data())]).toEqual(expected);
  });
});
