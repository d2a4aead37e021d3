import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logitOf } from '../../src/kernels/pairs.ts';
import { candidateKeys, candidatePairs, NO_CANDIDATE, rank } from '../../src/kernels/rank.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';
import * as reference from '../reference/rank.ts';

const on = useGpu();

/** Ranks of tested users with these candidates and logits, in chunks of so many users. */
async function ranks(candidates: number[][], logits: number[][], chunk = candidates.length): Promise<number[]> {
  const [tested, width] = [candidates.length, candidates[0]!.length];
  const trial = new Trial(on.gpu);
  const out = trial.inPlace('ranks', new Uint32Array(tested).fill(NO_CANDIDATE));
  const step = trial.input(Uint32Array.of(0));
  const scored = trial.input(new Float32Array(chunk * width));
  const views = { step, candidates: trial.input(Uint32Array.from(candidates.flat())), logits: scored, ranks: out.view };
  rank(trial.plan, views, { chunk, width, tested });
  for (let first = 0; first < tested; first += chunk) {
    on.gpu.write(step.buffer, step.offset!, Uint32Array.of(first / chunk));
    on.gpu.write(scored.buffer, scored.offset!, Float32Array.from(logits.slice(first, first + chunk).flat()));
    trial.plan.run();
  }
  return [...(await out.data())];
}

describe('the rank of the held-out item', () => {
  it('is the number of candidates that are not scored below it', async () => {
    expect(await ranks([[5, 6, 7, 8]], [[0.5, 0.1, 0.7, 0.6]])).toEqual([2]);
    expect(await ranks([[5, 6, 7, 8]], [[0.9, 0.1, 0.7, 0.6]])).toEqual([0]);
    expect(await ranks([[5]], [[0.9]])).toEqual([0]);
  });

  it('counts ties against the model: one that scores all alike is last', async () => {
    expect(await ranks([[5, 6, 7, 8]], [[1, 1, 1, 1]])).toEqual([3]);
    expect(await ranks([[5, 6]], [[-0, 0]])).toEqual([1]);
  });

  it('counts what is not a number against the model', async () => {
    expect(await ranks([[5, 6, 7, 8]], [[NaN, 1, 2, 3]])).toEqual([3]);
    expect(await ranks([[5, 6, 7, 8]], [[2, NaN, 1, NaN]])).toEqual([2]);
    expect(await ranks([[5, 6, 7, 8]], [[NaN, NaN, -Infinity, Infinity]])).toEqual([3]);
    expect(await ranks([[5, 6, 7, 8]], [[Infinity, -Infinity, Infinity, 1]])).toEqual([1]);
  });

  it('ignores places that hold no candidate, whatever is scored there', async () => {
    expect(await ranks([[5, NO_CANDIDATE, 7, NO_CANDIDATE]], [[1, 9, 2, NaN]])).toEqual([1]);
  });

  it.each([1, 4, 7, 64, 100])('is the reference’s for 100 users, ranked in chunks of %i', async (chunk) => {
    const draws = new Draws(8);
    const score = () => [NaN, Infinity, 0, 1, 2][Math.floor(draws.uniform() * 30)] ?? Math.round(20 * draws.uniform());
    const candidates = Array.from({ length: 100 }, () =>
      Array.from(draws.ids(13, 50), (item, c) => (c > 0 && item < 5 ? NO_CANDIDATE : item)),
    );
    const logits = candidates.map((own) => own.map(score));
    const expected = candidates.map((own, user) => reference.rank(own, logits[user]!));
    expect(await ranks(candidates, logits, chunk)).toEqual(expected);
  });
});

it('whatever the logits are, the rank is the held-out item’s place in a sort, behind its equals', async () => {
  // Adapters may take numbers below the smallest normal one for 0.
  const normal = fc.float().filter((value) => !(Math.abs(value) < 2 ** -126));
  const logit = fc.oneof(fc.integer({ min: -2, max: 2 }), normal, fc.constantFrom(-0, Number.NaN));
  const user = (width: number) => fc.array(logit, { minLength: width, maxLength: width });
  const users = fc.integer({ min: 1, max: 12 }).chain((width) => fc.array(user(width), { minLength: 1, maxLength: 9 }));
  /** Place 0 holds the held-out item; what is not a number counts against the model: the item’s last, another’s first. */
  function placeInSort(logits: readonly number[]): number {
    const value = (c: number) => (Number.isNaN(logits[c]!) ? (c === 0 ? -Infinity : Infinity) : logits[c]!);
    const order = [...logits.keys()].sort((a, b) =>
      value(a) === value(b) ? Number(a === 0) - Number(b === 0) : value(b) - value(a),
    );
    return order.indexOf(0);
  }
  const property = fc.asyncProperty(users, fc.integer({ min: 1, max: 9 }), async (logits, chunk) => {
    const candidates = logits.map((own) => own.map((_, c) => c));
    expect(await ranks(candidates, logits, chunk)).toEqual(logits.map(placeInSort));
  });
  await fc.assert(property, { seed: 1, numRuns: 30 });
});

describe('the pairs to score', () => {
  it('are each tested user with its candidates, chunk by chunk', async () => {
    const size = { chunk: 2, width: 3, tested: 3 };
    const trial = new Trial(on.gpu);
    const [users, items] = [trial.u32('users', 6), trial.u32('items', 6)];
    const step = trial.input(Uint32Array.of(0));
    const views = {
      step,
      testedUsers: trial.input(Uint32Array.of(9, 4, 7)),
      candidates: trial.input(Uint32Array.of(1, 2, 3, 4, 5, NO_CANDIDATE, 7, NO_CANDIDATE, 9)),
      users: users.view,
      items: items.view,
    };
    candidatePairs(trial.plan, views, size);
    trial.plan.run();
    expect([...(await users.data())]).toEqual([9, 9, 9, 4, 4, 4]);
    expect([...(await items.data())]).toEqual([1, 2, 3, 4, 5, 0]);
    on.gpu.write(step.buffer, step.offset!, Uint32Array.of(1));
    trial.plan.run();
    expect([...(await users.data())]).toEqual([7, 7, 7, 0, 0, 0]);
    expect([...(await items.data())]).toEqual([7, 0, 9, 0, 0, 0]);
  });
});

describe('the keys of candidates', () => {
  it.each([1, 3, 8])('order as their logits do, in chunks of %i users', async (chunk) => {
    const [tested, width] = [7, 6];
    const draws = new Draws(chunk);
    const special = [Number.NaN, Number.NEGATIVE_INFINITY, -3e38, -1e-40, -0, 0, 1e-40, Number.POSITIVE_INFINITY];
    const logits = Float32Array.from({ length: tested * width }, (_, i) => special[i % 9] ?? draws.uniform());
    const candidates = draws.ids(tested * width, 50).map((item) => (item < 10 ? NO_CANDIDATE : item));
    const trial = new Trial(on.gpu);
    const [step, scored] = [trial.input(Uint32Array.of(0)), trial.input(new Float32Array(chunk * width))];
    const keys = trial.u32('keys', chunk * width);
    const views = { step, candidates: trial.input(candidates), logits: scored, keys: keys.view };
    candidateKeys(trial.plan, views, { chunk, width, tested });
    const all: number[] = [];
    for (let first = 0; first < tested; first += chunk) {
      on.gpu.write(step.buffer, step.offset!, Uint32Array.of(first / chunk));
      on.gpu.write(scored.buffer, scored.offset!, logits.slice(first * width, (first + chunk) * width));
      trial.plan.run();
      all.push(...(await keys.data()));
    }
    const past = all.splice(tested * width);
    expect(past.every((key) => key === 0)).toBe(true);
    all.forEach((key, i) => {
      const absent = candidates[i] === NO_CANDIDATE;
      expect(absent ? key : logitOf(key), `${logits[i]}`).toEqual(absent ? 0 : logits[i]! + 0);
    });
    const there = [...all.keys()].filter((i) => candidates[i] !== NO_CANDIDATE && !Number.isNaN(logits[i]!));
    for (const i of there) {
      for (const j of there) expect(Math.sign(all[i]! - all[j]!)).toBe(Math.sign(logits[i]! - logits[j]!) || 0);
    }
  });
});
