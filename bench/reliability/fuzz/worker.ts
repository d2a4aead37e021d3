import { parentPort, workerData } from 'node:worker_threads';
import { Draws } from './draws.ts';
import { type Outcome, Wrong } from './outcome.ts';
import { fuzzReaders } from './readers.ts';
import { fuzzSafetensors } from './safetensors.ts';
import type { Range, Told } from './watched.ts';

export const KINDS = { readers: fuzzReaders, safetensors: fuzzSafetensors } satisfies Record<
  string,
  (draws: Draws) => Promise<Outcome>
>;
export type Kind = keyof typeof KINDS;

/** Milliseconds between two messages: one a case would take longer than the case. */
const PACE = 200;

if (parentPort) {
  const { kind, seed, first, count, present } = workerData as Range & { readonly present: Int32Array };
  let told: Told[] = [];
  let since = performance.now();
  for (let number = first; number < first + count; number++) {
    present[0] = number - first; // which case it is that never ends
    told.push({ number, ...(await tell(kind, seed, number)) });
    if (performance.now() - since < PACE && number < first + count - 1) continue;
    parentPort.postMessage(told);
    told = [];
    since = performance.now();
  }
}

async function tell(kind: Kind, seed: number, number: number) {
  try {
    return { outcome: await KINDS[kind](new Draws(seed, number)) };
  } catch (error) {
    const files = error instanceof Wrong ? error.files : {};
    const cause = error instanceof Wrong && error.cause ? `\n${(error.cause as Error).stack}` : '';
    return {
      failure: { message: `${error instanceof Wrong ? error.message : (error as Error).stack}${cause}`, files },
    };
  }
}
