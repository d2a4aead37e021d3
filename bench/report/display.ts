import type { BranchKind } from '../../src/train/fine-tuning.ts';
import type { EndEvent, EpochEvent, NoteEvent, RecoveredEvent, StartEvent } from '../../src/train/history.ts';

/** Where the run stands inside an epoch; sent a few times a second. */
export interface Progress {
  /** 1 for the first. */
  readonly epoch: number;
  /** Of the run, or of the branch. */
  readonly epochs: number;
  /** In pre-training, what is trained. */
  readonly branch?: BranchKind;
  /** Samples of this epoch already trained on, of `total`. */
  readonly done: number;
  readonly total: number;
  /** Mean loss of the epoch so far (nats per sample); NaN until the first one has been read back. */
  readonly loss: number;
  readonly samplesPerSecond: number;
  /** Seconds until the whole run ends, or the branch's training, evaluations included; NaN while unknown. */
  readonly etaSeconds: number;
  /** Whether it may end earlier, for want of patience. */
  readonly atMost: boolean;
}

/**
 * What a run is shown through: call `fitting` for what comes before it, `start`, then `progress`, `epoch`, `recovered` and
 * `note`, then `end`; `close` in every case.
 */
export interface Display {
  /** A baseline that is fitted, and the share that is done, 0 … 1. */
  fitting(baseline: string, share: number): void;
  start(event: StartEvent): void;
  progress(progress: Progress): void;
  epoch(event: EpochEvent): void;
  recovered(event: RecoveredEvent): void;
  note(event: NoteEvent): void;
  end(event: EndEvent): void;
  /** Gives the terminal back as it was (also after an error); may be called twice. */
  close(): void;
}
