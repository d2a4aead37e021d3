import type { Gpu } from '../../src/gpu/device.ts';
import { type Plan, runPlans } from '../../src/gpu/plan.ts';
import { collectGarbage } from '../garbage.ts';
import { median } from '../kernels/median.ts';

/** A step in its steady state. */
export interface Steady {
  /** Median of the rounds. */
  readonly milliseconds: number;
  readonly least: number;
  readonly most: number;
  /** The CPU's own time for encoding and submitting, of a dispatch; it waits for nothing meanwhile. */
  readonly hostMicroseconds: number;
  /** By how much the JavaScript heap has grown a step, garbage collected. */
  readonly heapBytes: number;
  /** Buffers and bind groups made a step. */
  readonly objects: number;
}

/** A round should take about this long. */
const ROUND_MS = 200;
const MOST_STEPS = 1000;

/** Times a recorded step, after some that warm up. */
export async function measureSteady(gpu: Gpu, plan: Plan, rounds: number): Promise<Steady> {
  const steps = async (count: number) => {
    const start = performance.now();
    runPlans(gpu, 'steps', (replay) => {
      for (let i = 0; i < count; i++) replay(plan);
    });
    const submitted = performance.now();
    await gpu.idle();
    return { whole: (performance.now() - start) / count, host: (submitted - start) / count };
  };
  await steps(2);
  const { whole } = await steps(2);
  const count = Math.max(1, Math.min(MOST_STEPS, Math.round(ROUND_MS / whole)));
  await steps(count);
  const before = { heap: collectedHeap(), ...gpu.counters };
  const times = [];
  for (let round = 0; round < rounds; round++) times.push(await steps(count));
  const after = { heap: collectedHeap(), ...gpu.counters };
  const all = times.map((time) => time.whole);
  return {
    milliseconds: median(all),
    least: Math.min(...all),
    most: Math.max(...all),
    hostMicroseconds: (1000 * median(times.map(({ host }) => host))) / plan.dispatches.length,
    heapBytes: (after.heap - before.heap) / (rounds * count),
    objects: (after.buffers + after.bindGroups - before.buffers - before.bindGroups) / (rounds * count),
  };
}

function collectedHeap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
