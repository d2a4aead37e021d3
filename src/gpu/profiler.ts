import { GpuError } from '../errors.ts';
import type { Gpu } from './device.ts';
import type { Plan } from './plan.ts';
import { COPY_DST, COPY_SRC, STORAGE } from './usage.ts';

export interface Timing {
  readonly label: string;
  /** Dispatches of this label in one replay. */
  readonly count: number;
  /** Microseconds on the GPU in one replay, all dispatches of this label together. */
  readonly microseconds: number;
}

const QUERY_RESOLVE = 0x200; // GPUBufferUsage.QUERY_RESOLVE
const MAX_QUERIES = 4096;

/**
 * Times each dispatch of a plan with timestamp queries, takes its median over several replays (after one that warms up)
 * and sums by label, the most expensive first. The replays do what the plan does: a training step trains.
 * Each dispatch stands in a pass of its own, so the sum is somewhat more than a replay in one pass takes.
 * Throws GpuError when the adapter has no timestamp queries.
 */
export async function profile(plan: Plan, replays = 5): Promise<Timing[]> {
  const { gpu, dispatches } = plan;
  if (!gpu.timestamps)
    throw new GpuError(`${gpu.adapterName} has no timestamp queries, so kernels cannot be timed one by one`);
  await plan.compile();
  const runs: number[][] = [];
  for (let run = 0; run <= replays; run++) runs.push(await replayTimed(plan));
  const nanoseconds = dispatches.map((_, i) => median(runs.slice(1).map((run) => run[i]!)));
  const byLabel = new Map<string, { count: number; total: number }>();
  dispatches.forEach(({ label }, i) => {
    const sum = byLabel.get(label) ?? { count: 0, total: 0 };
    byLabel.set(label, { count: sum.count + 1, total: sum.total + nanoseconds[i]! });
  });
  return [...byLabel]
    .map(([label, { count, total }]) => ({ label, count, microseconds: total / 1000 }))
    .sort((a, b) => b.microseconds - a.microseconds);
}

/** Nanoseconds of each dispatch in one replay. */
async function replayTimed({ gpu, dispatches }: Plan): Promise<number[]> {
  const nanoseconds: number[] = [];
  for (let first = 0; first < dispatches.length; first += MAX_QUERIES / 2) {
    nanoseconds.push(...(await time(gpu, dispatches.slice(first, first + MAX_QUERIES / 2))));
  }
  return nanoseconds;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function time(gpu: Gpu, dispatches: Plan['dispatches']): Promise<number[]> {
  const count = dispatches.length * 2;
  const querySet = gpu.device.createQuerySet({ label: 'profile', type: 'timestamp', count });
  const buffer = gpu.createBuffer('profile', count * 8, QUERY_RESOLVE | COPY_SRC | COPY_DST | STORAGE);
  const encoder = gpu.device.createCommandEncoder({ label: 'profile' });
  dispatches.forEach(({ label, pipeline, group, x, y }, i) => {
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
    const pass = encoder.beginComputePass({ label, timestampWrites });
    pass.setPipeline(pipeline.ready ?? pipeline.compile());
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(x, y);
    pass.end();
  });
  encoder.resolveQuerySet(querySet, 0, count, buffer, 0);
  gpu.submit(encoder.finish());
  const stamps = new BigUint64Array(await gpu.read({ buffer, offset: 0, size: count * 8 }));
  querySet.destroy();
  buffer.destroy();
  return dispatches.map((_, i) => Number(stamps[2 * i + 1]! - stamps[2 * i]!));
}
