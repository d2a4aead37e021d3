import { describe, expect, it } from 'vitest';
import { hardest } from '../../src/kernels/hardest.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';
import { hardestOf } from '../reference/hardest.ts';

const on = useGpu();

/** The places of the pairs that the device keeps: users are numbered by the pairs, items backwards. */
async function kept(logits: Float32Array<ArrayBuffer>, candidates: number): Promise<number[]> {
  const [pairs, rows] = [logits.length, logits.length / candidates];
  const trial = new Trial(on.gpu);
  const out = { users: trial.u32('users', rows), items: trial.u32('items', rows) };
  const views = {
    pairUsers: trial.input(Uint32Array.from(logits.keys())),
    pairItems: trial.input(Uint32Array.from(logits, (_, i) => pairs - 1 - i)),
    logits: trial.input(logits),
    users: out.users.view,
    items: out.items.view,
  };
  hardest(trial.plan, views, { rows, candidates });
  trial.plan.run();
  const [users, items] = [[...(await out.users.data())], await out.items.data()];
  expect([...items]).toEqual(users.map((user) => pairs - 1 - user));
  return users;
}

describe('the hardest candidate', () => {
  it.each([
    [1, 1],
    [1, 8],
    [64, 3],
    [65, 8],
    [300, 5],
  ])('of %i samples with %i candidates has the highest logit', async (rows, candidates) => {
    const logits = new Draws(rows).normal(rows * candidates, -3, 2);
    expect(await kept(logits, candidates)).toEqual([...hardestOf(logits, candidates)]);
  });

  it('of equals is the first', async () => {
    const logits = Float32Array.of(1, 1, 1, -2, 0, 0, -5, -7, -5, 3e38, -3e38, 3e38);
    expect(await kept(logits, 3)).toEqual([0, 4, 6, 9]);
  });

  it('of nothing dispatches nothing', () => {
    const trial = new Trial(on.gpu);
    const view = trial.input([]);
    const views = { pairUsers: view, pairItems: view, logits: view, users: view, items: view };
    hardest(trial.plan, views, { rows: 0, candidates: 4 });
    expect(trial.plan.dispatches).toEqual([]);
  });
});
