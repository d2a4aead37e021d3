import type { Time } from './measure.ts';
import { gigabytesPerSecond, type Results, ratesOf } from './results.ts';

/** The results as JSON, an object a line: the copy with how everything was measured, failed checks, then the kernels. */
export function jsonLines(results: Results, setting: Readonly<Record<string, string | number>>): string {
  const { copy, failures, lines } = results;
  const ceiling = {
    ceiling: 'copyBufferToBuffer',
    bytes: copy.bytes,
    ...microseconds(copy.time),
    gigabytesPerSecond: gigabytesPerSecond(copy.bytes, copy.time),
    ...setting,
  };
  const objects = [
    ceiling,
    ...failures.map((failure) => ({ ...failure, passed: false })),
    ...lines.map((line) => {
      const { time, ...known } = line;
      return { ...known, passed: true, ...microseconds(time), ...ratesOf(line, results) };
    }),
  ];
  return objects.map((object) => JSON.stringify(object)).join('\n');
}

function microseconds({ median, least, most, repetitions }: Time) {
  return { microseconds: median, leastMicroseconds: least, mostMicroseconds: most, repetitions };
}
