import type { Work } from './case.ts';
import type { Time } from './measure.ts';

/** What a whole run found. */
export interface Results {
  /** The adapter's own copy of a large buffer. */
  readonly copy: { readonly bytes: number; readonly time: Time };
  readonly failures: readonly Failure[];
  readonly lines: readonly Line[];
}

export interface Failure {
  readonly kernels: readonly string[];
  readonly shape: string;
  /** The worst element, and what it should be. */
  readonly failure: string;
}

/** A kernel, or several in a row, that passed the check and were timed. */
export interface Line extends Work {
  readonly kernels: readonly string[];
  readonly shape: string;
  /** Largest error against the reference. */
  readonly error: number;
  readonly time: Time;
}

export const gigabytesPerSecond = (bytes: number, { median }: Time): number => bytes / median / 1000;

/** What follows from a line's time. `gigaflopsPerSecond` is absent for kernels that only move numbers. */
export function ratesOf({ kernels, bytes, flops, time }: Line, { copy }: Results) {
  const gigabytes = gigabytesPerSecond(bytes, time);
  return {
    dispatchesPerSecond: (kernels.length * 1e6) / time.median,
    gigabytesPerSecond: gigabytes,
    ...(flops === undefined ? {} : { gigaflopsPerSecond: flops / time.median / 1000 }),
    shareOfCopy: gigabytes / gigabytesPerSecond(copy.bytes, copy.time),
  };
}
