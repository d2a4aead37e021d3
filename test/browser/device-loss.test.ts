import { expect, it } from 'vitest';
import type { main } from './entries/device-loss.ts';
import { runIn } from './harness.ts';

// Firefox logs what is asked of a lost device as errors of the page, which the harness does not let pass.
it('in Chromium, runs whose devices are lost at random moments end as if nothing had been lost', async () => {
  const entry = new URL('entries/device-loss.ts', import.meta.url);
  const tally = await runIn<Awaited<ReturnType<typeof main>>>('chromium', entry, { count: 3, seed: 1 });
  expect(tally.wrong).toEqual([]);
  expect(tally.losses).toBe(3);
  expect(tally.recoveries).toBeGreaterThan(0);
});
