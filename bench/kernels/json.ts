import type { Setting } from './cases.ts';
import type { Comparison } from './compare.ts';
import type { Time } from './measure.ts';
import { gigabytesPerSecond, gigaflopsPerSecond, type Results, ratesOf } from './results.ts';

/** How a run was made, the same for all its lines. */
export interface Measured {
  readonly adapter: string;
  readonly adapterKind: string;
  readonly rounds: number;
  readonly clock: string;
}

/** Results as JSON, an object a line: the ceilings with how everything was measured, failed checks, then the kernels. */
export function jsonLines(results: Results, { preset, batch }: Setting, measured: Measured): string {
  const { copy, multiplyAdd, failures, lines } = results;
  const setting = { preset, batch };
  const objects = [
    {
      ceiling: 'copyBufferToBuffer',
      bytes: copy.bytes,
      ...microseconds(copy.time),
      gigabytesPerSecond: gigabytesPerSecond(copy.bytes, copy.time),
      ...setting,
      ...measured,
    },
    ...(multiplyAdd
      ? [
          {
            ceiling: 'multiplyAdd',
            flops: multiplyAdd.flops,
            ...microseconds(multiplyAdd.time),
            gigaflopsPerSecond: gigaflopsPerSecond(multiplyAdd.flops, multiplyAdd.time),
            ...setting,
            ...measured,
          },
        ]
      : []),
    ...failures.map((failure) => ({ ...failure, passed: false, ...setting })),
    ...lines.map((line) => {
      const { time, ...known } = line;
      return { ...known, passed: true, ...microseconds(time), ...ratesOf(line, results), ...setting };
    }),
  ];
  return objects.map((object) => JSON.stringify(object)).join('\n');
}

/** A comparison as JSON: an object for each kernel and shape, then what they come to. */
export function comparisonLines({ earlier, now, lines, geometricMean }: Comparison, file: string): string {
  const objects = [
    ...lines.map(({ earlier, now, ...line }) => ({
      comparedWith: file,
      ...line,
      earlierMicroseconds: earlier,
      microseconds: now,
    })),
    {
      comparison: file,
      earlierAdapter: earlier.adapter,
      adapter: now.adapter,
      geometricMean,
      onlyEarlier: lines.filter((line) => line.now === null).length,
      onlyNow: lines.filter((line) => line.earlier === null).length,
    },
  ];
  return objects.map((object) => JSON.stringify(object)).join('\n');
}

function microseconds({ median, least, most, repetitions }: Time) {
  return { microseconds: median, leastMicroseconds: least, mostMicroseconds: most, repetitions };
}
