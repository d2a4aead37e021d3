import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { waitFor } from '../../src/platform/browser-waiting.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A device that counts how often it was made to look, and the ends of what is waited for. */
function waited() {
  const submit = vi.fn<(commands: GPUCommandBuffer[]) => void>();
  const device = { queue: { submit } } as unknown as GPUDevice;
  const wait = () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    return { promise: waitFor(promise, { device, adapterKind: 'hardware' }), resolve, reject };
  };
  return { submit, wait };
}

it('a device is looked after at once, less and less often, and no longer than somebody waits', async () => {
  const { submit, wait } = waited();
  const { promise, resolve } = wait();
  expect(submit.mock.calls).toEqual([[[]]]);
  await vi.advanceTimersByTimeAsync(100);
  const first = submit.mock.calls.length;
  await vi.advanceTimersByTimeAsync(1000);
  const then = submit.mock.calls.length - first;
  await vi.advanceTimersByTimeAsync(1000);
  expect(first).toBeGreaterThan(10);
  expect(then).toBeLessThan(100);
  expect(submit.mock.calls.length - first - then).toBeGreaterThan(50);

  resolve('done');
  expect(await promise).toBe('done');
  submit.mockClear();
  await vi.advanceTimersByTimeAsync(1000);
  expect(submit).not.toHaveBeenCalled();
});

it('many who wait at once, or one after the other, make it look no more often than one', async () => {
  const looks = async ({ submit }: ReturnType<typeof waited>) => {
    submit.mockClear();
    await vi.advanceTimersByTimeAsync(500);
    return submit.mock.calls.length;
  };
  const [alone, many] = [waited(), waited()];
  void alone.wait();
  const often = await looks(alone);

  const last = many.wait();
  for (let i = 0; i < 10; i++) many.wait().resolve('done');
  expect(await looks(many)).toBeLessThanOrEqual(often);

  last.reject(new Error('lost'));
  await expect(last.promise).rejects.toThrow('lost');
  void many.wait();
  expect(await looks(many)).toBeLessThanOrEqual(often);
});
