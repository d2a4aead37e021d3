import { onTestFinished, vi } from 'vitest';

/** Progress reports come four times a second: by this clock, which each look moves on by one, after every submit. */
export function hurry() {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1000;
    return now;
  });
  onTestFinished(() => clock.mockRestore());
  return clock;
}
