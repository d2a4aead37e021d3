import { expect, test } from 'vitest';
import type { Answer } from './entries/adapter.ts';
import { runInChromium } from './harness.ts';

test('a bare machine’s Chromium has a WebGPU adapter, and it computes', async () => {
  const answer = await runInChromium<Answer>(new URL('entries/adapter.ts', import.meta.url), [1, -2, 3, 0.5, 10]);
  expect(answer).toEqual({ vendor: 'google', architecture: 'swiftshader', squares: [1, 4, 9, 0.25, 100] });
});

test.each([
  ['throws', 'RangeError: thrown by main'],
  ['logs', 'logged by main'],
  ['late', 'thrown outside main'],
])('a page that %s fails the call', async (way, text) => {
  await expect(runInChromium(new URL('entries/failing.ts', import.meta.url), way)).rejects.toThrow(text);
});
