import type { Gpu } from '../../src/gpu/device.ts';
import { median } from './median.ts';

/** Something to be timed that can be repeated within one submit. */
export interface Run {
  /** Submits what has to be done before; it is not timed. */
  prepare(): void;
  /** Microseconds of `times` repetitions together. */
  time(times: number): Promise<number>;
}

/** Microseconds of one repetition. */
export interface Time {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Of each round. */
  readonly rounds: readonly number[];
  /** Repetitions in a round. */
  readonly repetitions: number;
}

/** A round of one run should take about this long: many times the cost of a submit and the clock's resolution. */
const ROUND_MICROSECONDS = 20_000;
const MOST_REPETITIONS = 8192;

/** Times all runs, one after the other, round after round: whatever disturbs the machine meanwhile meets them all. */
export async function measure(gpu: Gpu, runs: readonly Run[], rounds: number): Promise<Time[]> {
  const repetitions: number[] = [];
  for (const run of runs) repetitions.push(await calibrate(gpu, run));
  const samples = runs.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of runs.entries()) samples[i]!.push((await once(gpu, run, repetitions[i]!)) / repetitions[i]!);
  }
  return samples.map((own, i) => ({
    median: median(own),
    least: Math.min(...own),
    most: Math.max(...own),
    rounds: own,
    repetitions: repetitions[i]!,
  }));
}

/** How many repetitions fill a round. Also warms up. */
async function calibrate(gpu: Gpu, run: Run): Promise<number> {
  let times = 1;
  for (;;) {
    // The shorter of two: whatever disturbs the machine just now must not pass for the kernel.
    const microseconds = Math.min(await once(gpu, run, times), await once(gpu, run, times));
    if (microseconds >= ROUND_MICROSECONDS / 2 || times === MOST_REPETITIONS) return times;
    // The first measurements are mostly the cost of a submit: tenfold at most.
    const factor = Math.min(10, ROUND_MICROSECONDS / microseconds);
    times = Math.min(MOST_REPETITIONS, Math.ceil(times * factor));
  }
}

async function once(gpu: Gpu, run: Run, times: number): Promise<number> {
  run.prepare();
  await gpu.idle();
  return run.time(times);
}
