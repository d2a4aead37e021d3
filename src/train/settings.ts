import type { DatasetOptions } from '../data/dataset.ts';
import { ConfigError } from '../errors.ts';
import { type ModelConfig, type ModelKind, PRESETS, type Schedule } from '../models/config.ts';
import { checkSettings } from './check-settings.ts';
import type { EVALUATIONS, LOSSES, ON_NAN, OPTIMIZERS, SAMPLERS } from './choices.ts';

/** How a model is built and trained. Everything that a preset leaves open has the default given here. */
export interface TrainSettings {
  readonly preset: string;
  readonly model: ModelKind;
  readonly gmfDim: number;
  readonly mlpDim: number;
  readonly mlpLayers: readonly number[];
  readonly batchNorm: boolean;
  readonly dropout: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: (typeof OPTIMIZERS)[number];
  /** How much of the last step's direction the next one keeps; only sgd has it. */
  readonly momentum: number;
  readonly lr: number;
  /** How the rate changes from epoch to epoch (schedule.ts). */
  readonly schedule: Schedule;
  /** What the schedules step and plateau multiply the rate by; above 0 and below 1. */
  readonly scheduleFactor: number;
  /** Epochs between two changes by the schedule step. */
  readonly scheduleStep: number;
  /** Evaluations without a better HR@10 that the schedule plateau lets pass; the next one lowers the rate. */
  readonly schedulePatience: number;
  /** The least rate of the schedules cosine and plateau. */
  readonly scheduleMin: number;
  /** Epochs, before the schedule begins, over which the rate rises linearly. */
  readonly warmUp: number;
  /** Times the weight, added to the gradient. */
  readonly weightDecay: number;
  /** The same for embedding tables, MF's biases among them; null as weightDecay. */
  readonly weightDecayTables: number | null;
  /** The same for biases and BatchNorm's scale and shift; null as weightDecay. */
  readonly weightDecayBiases: number | null;
  /** Largest norm of all gradients together; null clips nothing. */
  readonly clipNorm: number | null;
  /** Binary cross-entropy of positives and negatives, or softmax of positives alone, for two-tower models; see inBatchSoftmax. */
  readonly loss: (typeof LOSSES)[number];
  /** Divides the logits of the softmax. */
  readonly temperature: number;
  /** Negatives drawn for each positive, anew every epoch; none for the softmax, which has those of the batch. */
  readonly negatives: number;
  /**
   * How negatives are drawn: all items alike, in proportion to popularity^samplerPower, or hard: the one of
   * hardCandidates uniform draws that the model as it is scores highest, from epoch hardFrom on, and before it any.
   */
  readonly sampler: (typeof SAMPLERS)[number];
  /** From 0 (all items alike) to 2. */
  readonly samplerPower: number;
  readonly hardCandidates: number;
  /** 1 for the first epoch. */
  readonly hardFrom: number;
  /**
   * A positive's loss counts by 1 / popularity^ipsPower of its item, from 0 (all positives alike) to 2; see
   * inversePropensities.
   */
  readonly ipsPower: number;
  /** Most that 1 / popularity^ipsPower may be, over its mean over positives; at least 1. */
  readonly ipsClip: number;
  /**
   * What the held-out items are ranked among: sampled candidates (`loo`), all unseen items (`full`), both, or nothing;
   * after every evalEvery-th epoch and the last.
   */
  readonly eval: (typeof EVALUATIONS)[number];
  /** Cut-offs of the metrics; 10 is always among those computed. */
  readonly k: readonly number[];
  readonly evalEvery: number;
  /** Epochs are evaluated on a validation item a user, which the split holds out; the best one is then tested. */
  readonly validation: boolean;
  /** Evaluations without a better HR@10 on the validation items after which the run ends; null never ends it. */
  readonly patience: number | null;
  /**
   * Where a loss or gradient is infinite or not a number: the run ends (`stop`), or it goes back to the end of the epoch
   * before and on from there at half the rate, five times at most (`rewind`).
   */
  readonly onNan: (typeof ON_NAN)[number];
  readonly seed: number;
  /** Draws the sampled candidates, which runs with other seeds can share; default: the seed. */
  readonly evalSeed: number;
}

export const DEFAULT_SETTINGS = {
  preset: 'paper-8',
  model: 'neumf',
  epochs: 20,
  optimizer: 'adam',
  loss: 'bce',
  temperature: 1,
  samplerPower: 0.75,
  hardCandidates: 8,
  // The first epoch's scores are mostly those of the initial weights, among which the highest means nothing.
  hardFrom: 2,
  momentum: 0,
  weightDecayTables: null,
  weightDecayBiases: null,
  ipsPower: 0,
  ipsClip: 10,
  eval: 'loo',
  k: [10],
  evalEvery: 1,
  scheduleFactor: 0.5,
  scheduleStep: 5,
  schedulePatience: 3,
  scheduleMin: 0,
  warmUp: 0,
  validation: false,
  patience: null,
  onNan: 'stop',
  seed: 42,
} as const;

/**
 * Fills in a preset and the defaults, and checks every value.
 * Throws ConfigError naming the setting, its value and what would be right.
 */
export function resolveSettings(given: Partial<TrainSettings> = {}): TrainSettings {
  const name = given.preset ?? DEFAULT_SETTINGS.preset;
  const preset = typeof name === 'string' && Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (!preset)
    throw new ConfigError(`preset ${JSON.stringify(name)}: ${Object.keys(PRESETS).join(', ')} would be right`);
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { seed = DEFAULT_SETTINGS.seed } = given;
  // The presets' negatives are for the other loss.
  const drawn = given.loss === 'in-batch-softmax' ? { negatives: 0 } : {};
  const defaults = { ...DEFAULT_SETTINGS, evalSeed: seed, ...preset, ...drawn };
  const unknown = Object.keys(set).find((key) => !Object.hasOwn(defaults, key));
  if (unknown !== undefined) throw new ConfigError(`${unknown}: there is no such setting`);
  const settings: TrainSettings = { ...defaults, ...set, preset: name };
  checkSettings(settings);
  return settings;
}

/** How `loadDataset` is to split the data of a run with these settings. */
export function splitOptions({
  validation,
  evalSeed,
}: TrainSettings): Required<Pick<DatasetOptions, 'validation' | 'seed'>> {
  return { validation, seed: evalSeed };
}

/** The model that the settings describe, for so many users and items. */
export function modelConfig(settings: TrainSettings, users: number, items: number): ModelConfig {
  const { model, gmfDim, mlpDim, mlpLayers, batchNorm, dropout } = settings;
  return { model, users, items, gmfDim, mlpDim, mlpLayers, batchNorm, dropout };
}
