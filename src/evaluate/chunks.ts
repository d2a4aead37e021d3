import type { Clock } from '../autograd/clock.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Gpu } from '../gpu/device.ts';
import { Pacer } from '../gpu/pacer.ts';
import { type Plan, runPlans } from '../gpu/plan.ts';

/** Tested users that are scored a chunk at a time, so that what is between their scores and the result is small. */
export interface Chunks {
  /** Points at a chunk of a part; a chunk's plan moves it on. */
  readonly clock: Clock;
  /** Runs once before the chunks, which follow the weights of that moment. */
  readonly prepare: Plan;
  /** One after the other: as many users each as the adapter can bind what is kept of them. */
  readonly parts: readonly ChunkedPart[];
}

export interface ChunkedPart {
  /** Of chunks. */
  readonly count: number;
  readonly scoreChunk: Plan;
}

/** The first and the end of as few stretches of `users` users as are no longer than `most`, which is 1 at least. */
export function partsOf(users: number, most: number): { readonly from: number; readonly to: number }[] {
  const length = Math.max(1, Math.floor(most));
  const count = Math.ceil(users / length);
  return Array.from({ length: count }, (_, i) => ({ from: i * length, to: Math.min(users, (i + 1) * length) }));
}

/** Compiles all that runChunks runs. */
export async function compileChunks({ prepare, parts }: Chunks): Promise<void> {
  await Promise.all([prepare.compile(), ...parts.map(({ scoreChunk }) => scoreChunk.compile())]);
}

/** Scores all chunks; resolves when the device is done. */
export async function runChunks(gpu: Gpu, { clock, prepare, parts }: Chunks): Promise<void> {
  const pacer = new Pacer(gpu);
  prepare.run();
  for (const { count, scoreChunk } of parts) {
    clock.set(0);
    for (let done = 0; done < count; ) {
      const repeats = Math.min(pacer.repeats, count - done);
      runPlans(gpu, scoreChunk.label, (replay) => {
        for (let i = 0; i < repeats; i++) replay(scoreChunk);
      });
      done += repeats;
      await pacer.submitted(repeats);
    }
  }
  await pacer.drain();
}

/** What stands in some tensors, u32 each, one behind the other. */
export async function readJoined(tensors: readonly Tensor[]): Promise<Uint32Array<ArrayBuffer>> {
  const [only, ...more] = await Promise.all(tensors.map((tensor) => tensor.data()));
  if (more.length === 0) return only as Uint32Array<ArrayBuffer>;
  return new Uint32Array(await new Blob([only!, ...more]).arrayBuffer());
}
