/** What a run says of itself: one JSON object a line, in history.jsonl and on stdout with --json. */
import type { BeyondAccuracy } from '../evaluate/beyond-accuracy.ts';
import type { Evaluated, Evaluation } from '../evaluate/evaluation.ts';
import type { Stratum } from '../evaluate/strata.ts';
import type { BranchKind } from './fine-tuning.ts';

export interface StartEvent {
  readonly event: 'start';
  /** The adapter's own description, e.g. "llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)". */
  readonly adapter: string;
  readonly adapterKind: 'hardware' | 'software';
  readonly data: string;
  readonly users: number;
  readonly items: number;
  /** Distinct (user, item) pairs in training and test together. */
  readonly interactions: number;
  /** Users with a held-out item; the others are trained on but not tested. */
  readonly testedUsers: number;
  readonly parameters: number;
  /** Names of the evaluation protocols, e.g. "leave-one-out, 99 sampled negatives, ties against the model". */
  readonly protocols: Evaluation['protocols'];
  readonly baselines: Readonly<Record<string, Evaluated>>;
  readonly settings: Readonly<Record<string, unknown>>;
  /** What a user should know of the data before trusting the figures, a sentence each. */
  readonly notes: readonly string[];
}

export interface EpochEvent extends Evaluated {
  readonly event: 'epoch';
  /** 1 for the first, also of each branch. */
  readonly epoch: number;
  /** In pre-training, what was trained; absent when it was the run's model. */
  readonly branch?: BranchKind;
  /** Mean training loss (binary cross-entropy, nats per sample). */
  readonly loss: number;
  /** Wall time of training alone. */
  readonly seconds: number;
  /** Wall time of the evaluation; absent when this epoch was not evaluated. */
  readonly evalSeconds?: number;
  readonly samplesPerSecond: number;
}

/** What the model of the run's end does beside its means over all users. */
export interface FinalFigures {
  /** Whose weights it has. */
  readonly epoch: number;
  readonly strata: readonly Stratum[];
  /** Of the lists of best unseen items; empty when the full protocol was not asked for. */
  readonly lists: BeyondAccuracy;
}

export interface EndEvent {
  readonly event: 'end';
  /** The epoch with the best HR@10, null when nothing was evaluated. Chosen on the test items, as the NCF paper does. */
  readonly best: ({ readonly epoch: number } & Evaluated) | null;
  /** Null when nothing was evaluated, or the run was stopped. */
  readonly final: FinalFigures | null;
  /** What says that something is wrong with the run, a sentence each. */
  readonly alarms: readonly string[];
  /** SHA-256 of all weights (bytes of the f32 arena, in the order of the parameter list). */
  readonly weightsSha256: string;
  readonly seconds: number;
  /** True when the run was stopped (Ctrl-C) before its last epoch. */
  readonly stopped: boolean;
}

export type HistoryEvent = StartEvent | EpochEvent | EndEvent;

/** The HR@10 that epochs are compared by: the sampled protocol's where it was evaluated, else the full one's. */
export function hitRateAt10({ 'hr@10': hr, full }: Evaluated): number | undefined {
  return hr ?? full?.['hr@10'];
}

/** The epoch with the best HR@10, the earlier one of equals; null when none was evaluated. */
export function bestEpoch(epochs: readonly EpochEvent[]): EndEvent['best'] {
  let best: EpochEvent | null = null;
  for (const epoch of epochs) {
    const hr = hitRateAt10(epoch);
    if (hr !== undefined && (best === null || hr > hitRateAt10(best)!)) best = epoch;
  }
  return best && { epoch: best.epoch, ...metricsIn(best) };
}

/** An epoch's metrics, without what else its event tells. */
export function metricsIn(epoch: EpochEvent): Evaluated {
  return Object.fromEntries(Object.entries(epoch).filter(([name]) => /@\d+$|^auc$|^full$/.test(name))) as Evaluated;
}
