import type { Clock } from '../autograd/clock.ts';
import type { Gpu } from '../gpu/device.ts';
import { Pacer } from '../gpu/pacer.ts';
import { type Plan, runPlans } from '../gpu/plan.ts';

/** Tested users that are scored a chunk at a time, so that what is between their scores and the result is small. */
export interface Chunks {
  /** Points at a chunk; a chunk's plan moves it on. */
  readonly clock: Clock;
  readonly count: number;
  /** Runs once before the chunks, which follow the weights of that moment. */
  readonly prepare: Plan;
  readonly scoreChunk: Plan;
}

/** Scores all chunks; resolves when the device is done. */
export async function runChunks(gpu: Gpu, { clock, count, prepare, scoreChunk }: Chunks): Promise<void> {
  const pacer = new Pacer(gpu);
  clock.set(0);
  prepare.run();
  for (let done = 0; done < count; ) {
    const repeats = Math.min(pacer.repeats, count - done);
    runPlans(gpu, scoreChunk.label, (replay) => {
      for (let i = 0; i < repeats; i++) replay(scoreChunk);
    });
    done += repeats;
    await pacer.submitted(repeats);
  }
  await pacer.drain();
}
