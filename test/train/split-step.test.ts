import { describe, expect, it } from 'vitest';
import { useGpu } from '../gpu-fixture.ts';
import { expectSameBits, type Setting, scored, seeming } from './both-steps.ts';

const on = useGpu();

describe.each([
  // Room for the largest table, but not for all of them.
  ['cannot bind together are updated one by one', 8192, 4],
  // Room for GMF's tables, and for 64 rows of the MLP's.
  ['cannot bind one by one are split, and updated shard by shard', 3200, 6],
])('tables that the adapter %s:', (_, bindingLimit, gathers) => {
  it.each<[number, Setting]>([
    [11, {}],
    [190, {}],
    [190, { clipNorm: 0.05, adam: { weightDecay: 0.1 } }],
  ])('%i samples, %o', async (rows, setting) => {
    const { plain, together } = await unsplit({ rows, ...setting });
    const [fused, dense] = await seeming(on.gpu, 'bindingLimit', bindingLimit, async () => {
      return [
        await scored(on.gpu, 'fused', { rows, ...setting }, 9),
        await scored(on.gpu, 'plain', { rows, ...setting }, 9),
      ] as const;
    });
    expect(fused.plan.dispatches.filter(({ label }) => label.startsWith('adam_gather'))).toHaveLength(gathers);
    for (const split of setting.clipNorm ? [dense] : [fused, dense]) {
      expect(split.scores).toEqual(plain.scores);
      expectSameBits(split, plain);
    }
    // A clipping norm is rounded otherwise fused and plain.
    expect(fused.scores).toEqual(together.scores);
    expectSameBits(fused, together);
  });
});

const unsplitRuns = new Map<string, Promise<Record<'plain' | 'together', Awaited<ReturnType<typeof scored>>>>>();

/** Runs in which one binding holds all tables, once for each setting. */
function unsplit(setting: Setting) {
  const key = JSON.stringify(setting);
  const run = async () => ({
    plain: await scored(on.gpu, 'plain', setting, 9),
    together: await scored(on.gpu, 'fused', setting, 9),
  });
  if (!unsplitRuns.has(key)) unsplitRuns.set(key, run());
  return unsplitRuns.get(key)!;
}
