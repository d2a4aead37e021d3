import type { Waited } from './types.ts';

/** How long a nap is at most, and how much of the time waited so far: little is lost when the work ends during one. */
const LONGEST_MS = 4;
const SHARE = 0.1;
const SHORTEST_MS = 0.05;

const cell = new Int32Array(new SharedArrayBuffer(4));
/** Who waits, and since when anybody has. */
let waiting = 0;
let since = 0;
let napping = false;

/** Waits for a device; its own hardware needs no help, a CPU adapter needs the cores. */
export function waitFor<T>(promise: Promise<T>, { adapterKind }: Waited): Promise<T> {
  return adapterKind === 'software' ? restful(promise) : promise;
}

/**
 * Waits for the GPU without taking a core from it. While anybody waits, Dawn asks the device on this thread, in every turn
 * of the event loop, whether it is done, which keeps a core busy: half of what a CPU adapter on a small machine computes
 * with. Here the thread sleeps between two turns, for a tenth of the time waited so far and LONGEST_MS at most.
 */
async function restful<T>(promise: Promise<T>): Promise<T> {
  if (waiting++ === 0) since = performance.now();
  if (!napping) nap();
  try {
    return await promise;
  } finally {
    waiting--;
  }
}

function nap(): void {
  napping = true;
  setImmediate(() => {
    napping = false;
    if (waiting === 0) return;
    const milliseconds = Math.max(SHORTEST_MS, Math.min(LONGEST_MS, SHARE * (performance.now() - since)));
    Atomics.wait(cell, 0, 0, milliseconds);
    nap();
  });
}
