/**
 * What the runner and a contender say to each other: one JSON object a line, a reply for every request. A contender says
 * hello first, then waits on stdin and costs nothing until it is asked.
 */
import type { ModelConfig } from '../../src/models/config.ts';

/** A NeuMF and how it is trained, with binary cross-entropy and Adam (betas 0.9 and 0.999, eps 1e-8). */
export interface Task extends Omit<ModelConfig, 'model'> {
  readonly preset: string;
  readonly batchSize: number;
  readonly lr: number;
  /** Times the weight, added to the gradient. */
  readonly weightDecay: number;
  /** Largest norm of all gradients together; null clips nothing. */
  readonly clipNorm: number | null;
  /** Negatives drawn for each positive; for epochs. */
  readonly negatives: number;
}

/**
 * Files are safetensors. `weights`: the initial weights under PyTorch's names. `batch`: users u32[batchSize], items
 * u32[batchSize], labels f32[batchSize]. `interactions`: offsets u32[users + 1], items u32[positives], a list a user;
 * testUsers u32[tested], testItems u32[tested].
 */
export type Request =
  /** A new model for the steps that follow, all on one batch. → {} */
  | { readonly do: 'prepareSteps'; readonly task: Task; readonly weights: string; readonly batch: string }
  /** → StepsDone */
  | { readonly do: 'steps'; readonly count: number }
  /** A new model for epochs over the interactions. → EpochReady */
  | { readonly do: 'prepareEpoch'; readonly task: Task; readonly weights: string; readonly interactions: string }
  /** → EpochDone */
  | { readonly do: 'epoch' }
  /** A model that ranks each user's held-out item (testUsers, testItems) among those not in its list. → {} */
  | { readonly do: 'prepareRanking'; readonly task: Task; readonly weights: string; readonly interactions: string }
  /** → RankingDone */
  | { readonly do: 'rank' }
  /** Not asked of ours. → RankBounds */
  | { readonly do: 'rankBounds'; readonly margin: number };

export interface Hello {
  /** What it computes on, e.g. "llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)". */
  readonly device: string;
  /** Name and version of what it is made of. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Said instead of Hello when it cannot run here: what is missing, and how to get it. */
export interface Missing {
  readonly missing: string;
}

export interface StepsDone {
  /** Wall time of all steps together, until the device had finished the last update. */
  readonly milliseconds: number;
  /** Mean loss over the batch in the last step, before its update. */
  readonly loss: number;
}

export interface EpochReady {
  /** Drawing that is done once for all epochs, and takes as long as there are interactions; 0 when every epoch draws. */
  readonly drawnOnceMilliseconds: number;
}

export interface EpochDone {
  /** Wall time of the epoch, drawing of the samples included. */
  readonly milliseconds: number;
  readonly samples: number;
  /** Mean loss of the epoch. */
  readonly loss: number;
}

export interface RankingDone {
  /** Wall time of scoring all pairs and counting. */
  readonly milliseconds: number;
  /** How many of a tested user's unseen items are not scored below the held-out one. */
  readonly ranks: readonly number[];
}

/** What the ranks are when each held-out item's logit is larger, or smaller, by `margin` times the user's largest logit. */
export interface RankBounds {
  readonly least: readonly number[];
  readonly most: readonly number[];
}

/** Any request's reply when it failed. */
export interface Failed {
  readonly error: string;
}
