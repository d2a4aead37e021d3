import type { Gpu } from '../../src/gpu/device.ts';
import type { Run } from './measure.ts';
import type { Stopwatch } from './stopwatch.ts';

const MIB = 2 ** 20;

/** What kernels that only move numbers are measured by: the adapter's own copy of a buffer larger than its caches. */
export interface Ceiling {
  /** Read and written by one copy. */
  readonly bytes: number;
  readonly run: Run;
  destroy(): void;
}

export function copyCeiling(gpu: Gpu, stopwatch: Stopwatch): Ceiling {
  const size = Math.min((gpu.adapterKind === 'software' ? 64 : 256) * MIB, gpu.limits.maxBufferSize);
  const [from, to] = [gpu.createBuffer('copy source', size), gpu.createBuffer('copy target', size)];
  // Memory that was never written may be one page of zeros over and over.
  const ones = new Uint8Array(MIB).fill(1);
  for (let offset = 0; offset < size; offset += MIB) gpu.write(from, offset, ones);
  return {
    bytes: 2 * size,
    run: {
      prepare() {},
      time: (times) =>
        stopwatch.commands((encoder) => {
          for (let i = 0; i < times; i++) encoder.copyBufferToBuffer(from, 0, to, 0, size);
        }),
    },
    destroy() {
      from.destroy();
      to.destroy();
    },
  };
}
