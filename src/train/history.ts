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
  /**
   * Where epochs are evaluated on validation items; `protocols`, `testedUsers` and `baselines` are then those of the test
   * that ends the run.
   */
  readonly validation?: Pick<StartEvent, 'protocols' | 'testedUsers' | 'baselines'>;
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
  /** Learning rate of the epoch. */
  readonly lr: number;
  /** Mean training loss (the settings’ cross-entropy, nats per sample). */
  readonly loss: number;
  /** Figures on the validation items; the event has none on the test items then. */
  readonly validation?: Evaluated;
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

/** The epoch with the best HR@10, and its figures on the test items. */
export interface Best extends Evaluated {
  readonly epoch: number;
  /** On what it was chosen; on the test items, as the NCF paper does, where there are no validation items. */
  readonly chosenOn: 'validation items' | 'test items';
  /** Its figures on the validation items; those on the test items are absent while the run has not ended. */
  readonly validation?: Evaluated;
}

/** What a run has to say while it goes on: what went wrong, and what was done about it. */
export interface NoteEvent {
  readonly event: 'note';
  /** A sentence. */
  readonly note: string;
}

export interface EndEvent {
  readonly event: 'end';
  /** null when nothing was evaluated. */
  readonly best: Best | null;
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

/** The run went back to the last state that it had kept, and goes on from there. */
export interface RecoveredEvent {
  readonly event: 'recovered';
  readonly reason: 'device lost' | 'not finite';
  /** What went wrong. */
  readonly message: string;
  /** The training step that it goes on from. */
  readonly step: number;
  /** What the schedule's rates are multiplied by from there on, where a step left the numbers. */
  readonly factor?: number;
  /** In pre-training, of whose training. */
  readonly branch?: BranchKind;
}

export type HistoryEvent = StartEvent | EpochEvent | RecoveredEvent | NoteEvent | EndEvent;

/** The HR@10 that epochs are compared by: the sampled protocol's where it was evaluated, else the full one's. */
export function hitRateAt10({ 'hr@10': hr, full }: Evaluated): number | undefined {
  return hr ?? full?.['hr@10'];
}

/** What an epoch is judged by: its figures on the validation items where there are any, else those on the test items. */
export function judged({ validation, ...event }: EpochEvent): Evaluated {
  return validation ?? metricsIn(event);
}

/** The epoch with the best HR@10, the earlier one of equals; null when none was evaluated. */
export function bestEpoch(epochs: readonly EpochEvent[]): Best | null {
  let best: EpochEvent | null = null;
  let highest: number | undefined;
  for (const epoch of epochs) {
    const hr = hitRateAt10(judged(epoch));
    if (hr === undefined || (highest !== undefined && hr <= highest)) continue;
    best = epoch;
    highest = hr;
  }
  if (!best) return null;
  const { epoch, validation } = best;
  return validation
    ? { epoch, chosenOn: 'validation items', validation }
    : { epoch, chosenOn: 'test items', ...metricsIn(best) };
}

/** Whether as many evaluations as patience allows have passed since the best one. */
export function outOfPatience(epochs: readonly EpochEvent[], patience: number | null): boolean {
  const best = bestEpoch(epochs);
  if (patience === null || best === null) return false;
  const since = epochs.filter((event) => event.epoch > best.epoch && hitRateAt10(judged(event)) !== undefined);
  return since.length >= patience;
}

/** An epoch's metrics on the test items, without what else is told of it. */
export function metricsIn(epoch: Omit<EpochEvent, 'validation'> | Best): Evaluated {
  return Object.fromEntries(Object.entries(epoch).filter(([name]) => /@\d+$|^auc$|^full$/.test(name))) as Evaluated;
}
