import { describe, expect, it } from 'vitest';
import { Draws } from '../../bench/reliability/fuzz/draws.ts';
import type { Outcome } from '../../bench/reliability/fuzz/outcome.ts';
import { fuzzReaders } from '../../bench/reliability/fuzz/readers.ts';
import { fuzzSafetensors } from '../../bench/reliability/fuzz/safetensors.ts';
import { watched } from '../../bench/reliability/fuzz/watched.ts';

/** Files of each kind; `node bench/reliability/fuzz.ts` reads as many as there is time for. */
const COUNT = 2000;

describe('a file, right or broken, is read rightly or refused in a line:', () => {
  it.each([
    ['interactions and titles', fuzzReaders],
    ['checkpoints and state dicts', fuzzSafetensors],
  ])('%s', async (_, fuzz) => {
    const outcomes: Record<Outcome, number> = { read: 0, refused: 0 };
    for (let number = 0; number < COUNT; number++) {
      try {
        outcomes[await fuzz(new Draws(1, number))]++;
      } catch (error) {
        throw new Error(`file ${number}: ${(error as Error).message}`, { cause: error });
      }
    }
    expect(outcomes.read).toBeGreaterThan(COUNT / 10);
    expect(outcomes.refused).toBeGreaterThan(COUNT / 10);
  });
});

it('cases run in a worker have the same outcomes', async () => {
  const here: Record<Outcome, number> = { read: 0, refused: 0 };
  for (let number = 5; number < 25; number++) here[await fuzzReaders(new Draws(3, number))]++;
  let done = 0;
  const report = await watched({ kind: 'readers', seed: 3, first: 5, count: 20 }, (n) => {
    done = n;
  });
  expect(report).toEqual({ outcomes: here, failures: [] });
  expect(done).toBe(20);
});
