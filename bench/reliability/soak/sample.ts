import type { Gpu } from '../../../src/gpu/device.ts';
import type { LiveObjects } from './live-objects.ts';

/** A process between two epochs, its garbage collected. Memory in bytes. */
export interface Sample {
  readonly minutes: number;
  readonly epoch: number;
  /** Mean of the epoch. */
  readonly loss: number;
  /** All memory of the process; on a CPU adapter the device's too. */
  readonly rss: number;
  /** What JavaScript’s objects take. */
  readonly heap: number;
  /** What they hold outside the heap, array buffers among it. */
  readonly external: number;
  /** Buffers and bind groups that the library ever made. */
  readonly buffersMade: number;
  readonly bindGroupsMade: number;
  /** Buffers, bind groups and encoders that are neither destroyed nor collected. */
  readonly liveObjects: number;
  /** Timers, files and sockets that keep the process awake. */
  readonly resources: number;
}

export async function takeSample(
  gpu: Gpu,
  live: LiveObjects,
  done: Pick<Sample, 'minutes' | 'epoch' | 'loss'>,
): Promise<Sample> {
  const liveObjects = await live.count();
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    ...done,
    rss,
    heap: heapUsed,
    external,
    buffersMade: gpu.counters.buffers,
    bindGroupsMade: gpu.counters.bindGroups,
    liveObjects,
    resources: process.getActiveResourcesInfo().length,
  };
}
