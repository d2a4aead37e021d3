import { afterEach, expect, it, vi } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import { Pacer } from '../../src/gpu/pacer.ts';

afterEach(() => vi.restoreAllMocks());

/**
 * Submits to a device that takes a millisecond for a repetition, and is heard of every so many milliseconds.
 * @returns how many repetitions each submit had
 */
async function pace(submits: number, hearEvery: number): Promise<number[]> {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const pacer = new Pacer({ check: () => {} } as Gpu);
  const repeats: number[] = [];
  const inFlight: { readonly at: number; readonly hear: () => void }[] = [];
  let deviceDone = 0;
  for (let submit = 0; submit < submits; submit++) {
    repeats.push(pacer.repeats);
    deviceDone = Math.max(now, deviceDone) + pacer.repeats;
    const { promise, resolve: hear } = Promise.withResolvers<void>();
    inFlight.push({ at: hearEvery * Math.ceil(deviceDone / hearEvery), hear });
    let free = false;
    const next = pacer.submitted(pacer.repeats, promise).then(() => {
      free = true;
    });
    await settled();
    while (!free) {
      now = inFlight[0]!.at;
      while (inFlight[0]?.at === now) inFlight.shift()!.hear();
      await settled();
    }
    await next;
  }
  return repeats;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it.each([1, 16, 40, 60])(
  'submits take about 50 ms, also where the device is heard of every %i ms only',
  async (hearEvery) => {
    const repeats = (await pace(60, hearEvery)).slice(20);
    expect(Math.min(...repeats)).toBeGreaterThanOrEqual(40);
    expect(Math.max(...repeats)).toBeLessThanOrEqual(60);
  },
);
