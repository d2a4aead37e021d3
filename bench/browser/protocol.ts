/** What the page and the worker with the engine say to each other. */
import type { Timing } from '../../src/gpu/profiler.ts';
import type { Neighbour, Recommendation } from '../../src/recommend/types.ts';
import type { TrainProgress } from '../../src/train/epoch.ts';
import type { Best, EpochEvent, RecoveredEvent, StartEvent } from '../../src/train/history.ts';
import type { TrainSettings } from '../../src/train/settings.ts';

export interface AdapterFacts {
  readonly name: string;
  readonly kind: 'hardware' | 'software';
  readonly hint: string;
}

export interface DataFacts {
  readonly name: string;
  readonly users: number;
  readonly items: number;
  readonly interactions: number;
  readonly testedUsers: number;
  /** Items that have a title. */
  readonly titles: number;
}

/** An id, and the item's title where there is one. */
export interface Named {
  readonly id: string;
  readonly name?: string;
}

export interface UserAnswer {
  /** What the user has taken, the held-out items last; null where no data is loaded. */
  readonly history: readonly (Named & { readonly heldOut: boolean })[] | null;
  readonly recommendations: readonly Recommendation[];
}

export interface NewcomerAnswer {
  readonly source: 'model' | 'popularity';
  readonly unknown: readonly string[];
  readonly recommendations: readonly Recommendation[];
}

/** What stands behind one stage of the forward pass. */
export interface Stage {
  readonly name: string;
  readonly values: Float32Array;
}

/** The forward pass of one pair: what each branch makes of its embeddings, and what the output layer makes of both. */
export interface Inside {
  readonly gmf: readonly Stage[];
  readonly mlp: readonly Stage[];
  /** h ⊙ φ, whose sum and the bias make the logit. */
  readonly contributions: Float32Array;
  readonly bias: number;
  readonly logit: number;
}

/** A point a row, by cosine; the items that the map shows. */
export interface Vectors {
  readonly items: readonly Named[];
  readonly dim: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/** What the page asks the worker for. Every call may throw, with the engine's own error. */
export interface Engine {
  /** Opens the adapter. */
  open(): Promise<AdapterFacts>;
  /** Reads interactions; what was trained before is forgotten. */
  load(files: readonly File[]): Promise<DataFacts>;
  /** Reads items' titles. */
  titles(file: File): Promise<DataFacts>;
  /** Begins a run on the data. */
  start(settings: Partial<TrainSettings>): Promise<void>;
  /** Halts at the step where the run stands. */
  pause(): Promise<void>;
  /** Goes on from that step. */
  resume(): Promise<void>;
  /** Ends the run; its model stays to be asked. */
  stop(): Promise<void>;
  /** The checkpoint of the run as it stands. */
  save(): Promise<Blob>;
  /** Puts the run where a checkpoint left off; without data it can only be asked. */
  restore(file: File): Promise<{ readonly canTrain: boolean }>;
  /** A few of the ids that contain the text, or whose title does; the text itself first where it is one. */
  find(kind: 'user' | 'item', text: string): Promise<Named[]>;
  /** Some user, another each time. */
  anyUser(): Promise<string>;
  recommend(user: string): Promise<UserAnswer>;
  similar(item: string): Promise<readonly Neighbour[]>;
  newcomer(items: readonly string[]): Promise<NewcomerAnswer>;
  /** The best items of all users. */
  csv(): Promise<Blob>;
  inside(user: string, item: string): Promise<Inside>;
  /** The kernels of a training step; the run is then where it was. */
  kernels(): Promise<readonly Timing[]>;
  /** For the map: the most popular items. */
  vectors(): Promise<Vectors>;
}

export type RunState = 'training' | 'paused' | 'stopped' | 'finished';

/** What the worker tells of itself. */
export type Told =
  | StartEvent
  | EpochEvent
  | RecoveredEvent
  | (TrainProgress & {
      readonly event: 'progress';
      readonly epochs: number;
      readonly samplesPerSecond: number;
      readonly etaSeconds: number;
    })
  | { readonly event: 'state'; readonly state: RunState }
  /** A baseline that took a while. */
  | { readonly event: 'baseline'; readonly name: string; readonly figures: StartEvent['baselines'][string] }
  /** The best epoch by the validation items, with its figures on the test items; the model now has its weights. */
  | { readonly event: 'tested'; readonly best: Best }
  /** Training ended with an error. */
  | { readonly event: 'failed'; readonly error: Failure };

/** An error on its way to the page. */
export interface Failure {
  readonly name: string;
  readonly message: string;
}

/** From the page: a method of Engine and its arguments. */
export interface Call {
  readonly id: number;
  readonly method: keyof Engine;
  readonly args: readonly unknown[];
}

/** From the worker: what a call came to, or something it tells. */
export type Message =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: Failure }
  | Told;
