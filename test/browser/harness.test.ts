import { expect, inject, it } from 'vitest';
import type { Answer } from './entries/adapter.ts';
import { runIn } from './harness.ts';

/** Firefox names no adapter. */
const NAMES = {
  chromium: { vendor: 'google', architecture: 'swiftshader' },
  firefox: { vendor: '', architecture: '' },
};

it.each(inject('browsers'))('%s has a WebGPU adapter without a GPU, and it computes', async (browser) => {
  const answer = await runIn<Answer>(browser, new URL('entries/adapter.ts', import.meta.url), [1, -2, 3, 0.5, 10]);
  expect(answer).toEqual({ ...NAMES[browser], squares: [1, 4, 9, 0.25, 100] });
});

it.each([
  ['throws', 'RangeError: thrown by main'],
  ['logs', 'logged by main'],
  ['late', 'thrown outside main'],
])('a page that %s fails the call', async (way, text) => {
  await expect(runIn('chromium', new URL('entries/failing.ts', import.meta.url), way)).rejects.toThrow(text);
});
