import type { Variant, Work } from './case.ts';
import type { Time } from './measure.ts';

/** What a set of cases, measured in the same rounds, came to. */
export interface Results {
  /** The adapter's own copy of a large buffer. */
  readonly copy: { readonly bytes: number; readonly time: Time };
  /** Multiply-adds in registers; null when their check failed. */
  readonly multiplyAdd: { readonly flops: number; readonly time: Time } | null;
  readonly failures: readonly Failure[];
  readonly lines: readonly Line[];
}

/** Which kernel, or kernels in a row, at which shape. */
export interface Subject extends Partial<Variant> {
  readonly kernels: readonly string[];
  readonly shape: string;
}

/** What tells a subject from all others, in this run and in others. */
export function nameOf({ kernels, shape, variant }: Subject): string {
  return `${kernels.join(' → ')}, ${shape}${variant === undefined ? '' : `, ${variant}`}`;
}

export interface Failure extends Subject {
  /** The worst element, and what it should be. */
  readonly failure: string;
}

/** What passed the check and was timed. */
export interface Line extends Subject, Work {
  /** Largest error against the reference. */
  readonly error: number;
  /** Share of the outputs' elements that were compared. */
  readonly checked: number;
  readonly time: Time;
  /** Of several variants: the first one's time over this one's, the median of the rounds. */
  readonly ratioToFirst?: number;
}

export const gigabytesPerSecond = (bytes: number, { median }: Time): number => bytes / median / 1000;
export const gigaflopsPerSecond = (flops: number, { median }: Time): number => flops / median / 1000;

/** What follows from a line's time. What has to do with flops is absent for kernels that only move numbers. */
export function ratesOf({ kernels, bytes, flops, time }: Line, { copy, multiplyAdd }: Results) {
  const gigabytes = gigabytesPerSecond(bytes, time);
  const gigaflops = flops === undefined ? undefined : gigaflopsPerSecond(flops, time);
  return {
    dispatchesPerSecond: (kernels.length * 1e6) / time.median,
    gigabytesPerSecond: gigabytes,
    ...(gigaflops !== undefined && { gigaflopsPerSecond: gigaflops }),
    shareOfCopy: gigabytes / gigabytesPerSecond(copy.bytes, copy.time),
    ...(gigaflops !== undefined &&
      multiplyAdd && { shareOfMultiplyAdd: gigaflops / gigaflopsPerSecond(multiplyAdd.flops, multiplyAdd.time) }),
  };
}
