import { median } from '../../kernels/median.ts';
import type { Sample } from './sample.ts';

const KIB = 1024;

/**
 * By how much each quantity may have grown all the same: by so much for every epoch, whose record stays in the history
 * and in every later checkpoint, and by so much once.
 */
const ALLOWED = {
  // malloc keeps what it was given back, now more of it and now less.
  rss: { epoch: 4 * KIB, once: 8 * KIB * KIB },
  heap: { epoch: 4 * KIB, once: KIB * KIB },
  external: { epoch: 4 * KIB, once: KIB * KIB },
  buffersMade: { epoch: 0, once: 0 },
  bindGroupsMade: { epoch: 0, once: 0 },
  liveObjects: { epoch: 0, once: 0 },
  resources: { epoch: 0, once: 0 },
} as const;

export type Quantity = keyof typeof ALLOWED;

/** The part of a run in which pools and caches fill, and which is not judged. */
export const WARM_UP = 1 / 6;

/** A quantity in the course of a run. */
export interface Course {
  readonly quantity: Quantity;
  /** Medians of the first, the middle and the last third of the samples. */
  readonly thirds: readonly number[];
  /** Slope of the least-squares line. */
  readonly perHour: number;
  /** The last third's median is above the first one's by more than is allowed. */
  readonly grown: boolean;
}

/** @param samples those after the warm-up, at least three */
export function courses(samples: readonly Sample[]): Course[] {
  const thirds = (values: readonly number[]) =>
    [0, 1, 2].map((i) =>
      median(values.slice(Math.round((i * values.length) / 3), Math.round(((i + 1) * values.length) / 3))),
    );
  const hours = samples.map(({ minutes }) => minutes / 60);
  const epochs = thirds(samples.map(({ epoch }) => epoch));
  return Object.entries(ALLOWED).map(([name, { epoch, once }]) => {
    const quantity = name as Quantity;
    const values = samples.map((sample) => sample[quantity]);
    const medians = thirds(values);
    const grown = medians[2]! - medians[0]! > once + epoch * (epochs[2]! - epochs[0]!);
    return { quantity, thirds: medians, perHour: slope(hours, values), grown };
  });
}

/** Σ (x − x̄)(y − ȳ) / Σ (x − x̄)² */
function slope(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const dx = x.map((value) => value - mx);
  return dx.reduce((sum, d, i) => sum + d * (y[i]! - my), 0) / dx.reduce((sum, d) => sum + d * d, 0);
}
