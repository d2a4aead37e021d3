import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { killRuns } from '../../bench/reliability/kills/loop.ts';
import { Workplace } from './command.ts';

const place = new Workplace();
beforeEach(() => void vi.stubEnv('NEUMF_ADAPTER', 'swiftshader'));
afterEach(() => void vi.unstubAllEnvs());

it('a run killed at any moment leaves files that can be read, and resumed comes to the same weights', async () => {
  const { kills, finished, wrong } = await killRuns(3, 1, place.folder);
  expect(wrong).toEqual([]);
  expect(kills).toBe(3);
  expect(finished).toBeGreaterThan(0);
});
