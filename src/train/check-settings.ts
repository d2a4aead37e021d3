import { ConfigError } from '../errors.ts';
import { MOST_CANDIDATES } from '../kernels/sample-batch.ts';
import { MODEL_KINDS, normalisesBatches, SCHEDULES } from '../models/config.ts';
import { EVALUATIONS, LOSSES, ON_NAN, OPTIMIZERS, SAMPLERS } from './choices.ts';
import type { TrainSettings } from './settings.ts';

/** Throws ConfigError for the first setting that cannot work, alone or beside the others. */
export function checkSettings(settings: TrainSettings): void {
  checkValues(settings);
  checkTogether(settings);
}

/** Each setting by itself. */
function checkValues(settings: TrainSettings): void {
  const type = (name: keyof TrainSettings, wanted: 'number' | 'boolean') => {
    if (typeof settings[name] === wanted) return;
    throw new ConfigError(`${name} ${shown(settings[name])}: a ${wanted} would be right`);
  };
  const integer = (name: keyof TrainSettings, least: number) => {
    const value = settings[name];
    if (!Number.isSafeInteger(value) || (value as number) < least) {
      throw new ConfigError(`${name} ${shown(value)}: an integer of at least ${least} would be right`);
    }
  };
  const seed = (name: keyof TrainSettings) => {
    integer(name, 0);
    const value = settings[name] as number;
    if (value > 0xffffffff) throw new ConfigError(`${name} ${value}: at most ${0xffffffff} would be right`);
  };
  const positive = (name: keyof TrainSettings, zero: boolean) => {
    const value = settings[name];
    if (!(Number.isFinite(value) && (zero ? (value as number) >= 0 : (value as number) > 0))) {
      throw new ConfigError(`${name} ${shown(value)}: a number ${zero ? 'of at least' : 'above'} 0 would be right`);
    }
  };
  const within = (name: keyof TrainSettings, least: number, most: number) => {
    type(name, 'number');
    const value = settings[name] as number;
    if (!(value >= least && value <= most)) {
      throw new ConfigError(`${name} ${value}: a number from ${least} to ${most} would be right`);
    }
  };
  const oneOf = (name: keyof TrainSettings, values: readonly string[]) => {
    if (!values.includes(settings[name] as string)) {
      throw new ConfigError(`${name} ${shown(settings[name])}: ${values.join(', ')} would be right`);
    }
  };
  for (const name of ['gmfDim', 'mlpDim', 'dropout', 'momentum', 'scheduleFactor'] as const) type(name, 'number');
  for (const name of ['batchNorm', 'validation'] as const) type(name, 'boolean');
  if (!isNumbers(settings.mlpLayers)) {
    throw new ConfigError(`mlpLayers ${shown(settings.mlpLayers)}: a list of integers would be right`);
  }
  integer('epochs', 1);
  integer('batchSize', 1);
  integer('negatives', 0);
  integer('evalEvery', 1);
  seed('seed');
  seed('evalSeed');
  positive('lr', false);
  positive('weightDecay', true);
  if (settings.weightDecayTables !== null) positive('weightDecayTables', true);
  if (settings.weightDecayBiases !== null) positive('weightDecayBiases', true);
  within('samplerPower', 0, 2);
  integer('hardCandidates', 1);
  within('hardCandidates', 1, MOST_CANDIDATES);
  integer('hardFrom', 1);
  if (!(settings.momentum >= 0 && settings.momentum < 1)) {
    throw new ConfigError(`momentum ${settings.momentum}: a number from 0 to below 1 would be right`);
  }
  within('ipsPower', 0, 2);
  within('ipsClip', 1, 1e6);
  if (settings.clipNorm !== null) positive('clipNorm', false);
  oneOf('model', MODEL_KINDS);
  oneOf('optimizer', OPTIMIZERS);
  oneOf('loss', LOSSES);
  positive('temperature', false);
  oneOf('sampler', SAMPLERS);
  oneOf('eval', EVALUATIONS);
  oneOf('onNan', ON_NAN);
  if (
    !isNumbers(settings.k) ||
    settings.k.length === 0 ||
    !settings.k.every((k) => Number.isSafeInteger(k) && k >= 1)
  ) {
    throw new ConfigError(`k ${shown(settings.k)}: integers of at least 1, such as 5,10,20, would be right`);
  }
  oneOf('schedule', SCHEDULES);
  if (!(settings.scheduleFactor > 0 && settings.scheduleFactor < 1)) {
    throw new ConfigError(`scheduleFactor ${settings.scheduleFactor}: a number above 0 and below 1 would be right`);
  }
  integer('scheduleStep', 1);
  integer('schedulePatience', 0);
  within('scheduleMin', 0, settings.lr);
  integer('warmUp', 0);
  if (settings.patience !== null) integer('patience', 1);
}

const isNumbers = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'number');

/** A value in a message, be it one that a damaged file has. */
function shown(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`;
  if (isNumbers(value)) return (value as number[]).join();
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}';
  return String(value);
}

/** Settings that do not go together. */
function checkTogether(settings: TrainSettings): void {
  if (settings.sampler === 'hard' && settings.negatives === 0) {
    throw new ConfigError('sampler hard with negatives 0: at least 1, or another sampler, would be right');
  }
  if (settings.momentum > 0 && settings.optimizer !== 'sgd') {
    throw new ConfigError(
      `momentum ${settings.momentum} with ${settings.optimizer}, which has none: momentum 0, or optimizer sgd, would be right`,
    );
  }
  if (settings.patience !== null && !settings.validation) {
    throw new ConfigError(
      `patience ${settings.patience}: when to stop is chosen on validation items, and there are none; validation would be right`,
    );
  }
  if (settings.eval === 'none' && settings.validation) {
    throw new ConfigError('validation with eval none: nothing is evaluated; eval loo would be right');
  }
  if (settings.eval === 'none' && settings.schedule === 'plateau') {
    throw new ConfigError(
      'schedule "plateau" with eval none: it follows HR@10, and nothing is evaluated; constant, step, cosine would be right',
    );
  }
  if (settings.loss === 'in-batch-softmax') checkSoftmax(settings);
  if (normalisesBatches(settings) && settings.batchSize < 2) {
    throw new ConfigError(
      `batchSize ${settings.batchSize} with batch norm: one sample has no variance; at least 2, or no batch norm, would be right`,
    );
  }
}

function checkSoftmax({ model, negatives, batchSize, ipsPower }: TrainSettings): void {
  const refuse = (what: string) => {
    throw new ConfigError(`${what} would be right`);
  };
  if (model !== 'two-tower') refuse(`loss in-batch-softmax with model ${model}, which has no towers: model two-tower`);
  if (negatives > 0) {
    refuse(`negatives ${negatives} with loss in-batch-softmax, for which the batch’s other items are negatives: 0`);
  }
  if (batchSize < 2) {
    refuse(`batchSize ${batchSize} with loss in-batch-softmax, for which other samples are negatives: at least 2`);
  }
  if (ipsPower > 0) {
    refuse(`ipsPower ${ipsPower} with loss in-batch-softmax, which takes popularity out itself: 0, or loss bce,`);
  }
}
