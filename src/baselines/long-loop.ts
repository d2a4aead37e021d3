/** How a long loop on the CPU is watched and stopped. */
export interface Watch {
  /** Called a few times a second with the share that is done, 0 … 1. */
  readonly onProgress?: (share: number) => void;
  /** Ends the loop with the signal's reason. */
  readonly signal?: AbortSignal;
}

const TURN_MS = 100;

/**
 * Gives what a long loop awaits between its pieces, so that the page is drawn and Ctrl-C is heard: now and then it
 * reports and lets other events run. Throws the signal's reason.
 */
export function turns({ onProgress, signal }: Watch): (share: number) => Promise<void> {
  let last = performance.now();
  return async (share) => {
    signal?.throwIfAborted();
    if (performance.now() - last < TURN_MS) return;
    onProgress?.(share);
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}
