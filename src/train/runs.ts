/** Several runs of the same settings with other seeds, and how far their figures lie apart. */
import type { Evaluated } from '../evaluate/evaluation.ts';
import { type EndEvent, type EpochEvent, metricsIn } from './history.ts';

/** A run that has ended: its epochs and its end. */
export interface EndedRun {
  readonly seed: number;
  readonly epochs: readonly EpochEvent[];
  readonly end: EndEvent;
}

/** Every figure's mean over the runs, and its sample deviation √(Σ (x − mean)² / (runs − 1)). */
export interface Spread<Figures> {
  readonly mean: Figures;
  readonly deviation: Figures;
}

/** What a command says of its runs together: the last JSON object of its output. */
export interface RunsEvent {
  readonly event: 'runs';
  readonly seeds: readonly number[];
  /** Of each run's best epoch, chosen as each run chooses it, on the test items; null when nothing was evaluated. */
  readonly best: Spread<{ readonly epoch: number } & Evaluated> | null;
  /** Of each run's last epoch; without metrics where epochs are evaluated on validation items. */
  readonly last: Spread<{ readonly loss: number } & Evaluated>;
}

/** @param runs at least two, each with an epoch, all under the same protocols */
export function summariseRuns(runs: readonly EndedRun[]): RunsEvent {
  const bests = runs.flatMap(({ end }) => end.best ?? []);
  return {
    event: 'runs',
    seeds: runs.map(({ seed }) => seed),
    best:
      bests.length === runs.length ? spread(bests.map((best) => ({ epoch: best.epoch, ...metricsIn(best) }))) : null,
    last: spread(runs.map(({ epochs }) => ({ loss: epochs.at(-1)!.loss, ...metricsIn(epochs.at(-1)!) }))),
  };
}

function spread<Figures extends object>(samples: readonly Figures[]): Spread<Figures> {
  return { mean: combine(samples, mean), deviation: combine(samples, deviation) };
}

/** Objects of the same shape made into one, number by number. */
function combine<Figures extends object>(
  samples: readonly Figures[],
  statistic: (values: number[]) => number,
): Figures {
  const names = Object.keys(samples[0]) as (keyof Figures)[];
  return Object.fromEntries(
    names.map((name) => {
      const values = samples.map((sample) => sample[name]);
      return [
        name,
        typeof values[0] === 'number' ? statistic(values as number[]) : combine(values as object[], statistic),
      ];
    }),
  ) as Figures;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
