import { ConfigError } from '../errors.ts';
import { PRESETS } from '../models/config.ts';
import { pcg4d, STREAM } from '../random.ts';
import { resolveSettings, type TrainSettings } from './settings.ts';

/** The models that NeuMF is fused from, in the order of their training. */
export const BRANCHES = ['gmf', 'mlp'] as const;
export type BranchKind = (typeof BRANCHES)[number];

export interface PretrainSettings {
  /** Of GMF and of the MLP each. */
  readonly epochs: number;
  /** GMF's share in the fusion, from 0 to 1. */
  readonly alpha: number;
}

/**
 * Learning rate of fine-tuning by gradient descent. The loss is a mean over the batch, so that a sample moves the rows
 * that it looks up by lr / batchSize of its own gradient: at 0.1 and 256 samples by 4e-4, less than Adam's 1e-3 for a step
 * in which they are seen. The layers, which every sample moves, stand it as well. The paper does not say its rate.
 */
export const FINE_TUNING_LR = 0.1;

/** What NeuMF is trained on by once it is fused: plain gradient descent, as the paper has it, where nothing else is given. */
export function fineTuning(given: Partial<TrainSettings>): TrainSettings {
  if ((given.optimizer ?? 'sgd') !== 'sgd') return resolveSettings(given);
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return resolveSettings({ optimizer: 'sgd', lr: FINE_TUNING_LR, ...set });
}

/** Fills in what is left out. Throws ConfigError for values that cannot work. */
export function resolvePretraining(
  { model, epochs }: TrainSettings,
  given: Partial<PretrainSettings>,
): PretrainSettings {
  const settings = { epochs: given.epochs ?? epochs, alpha: given.alpha ?? 0.5 };
  if (model !== 'neumf') {
    throw new ConfigError(`pre-training of ${model}: only neumf is fused from two models; model neumf would be right`);
  }
  if (!Number.isSafeInteger(settings.epochs) || settings.epochs < 1) {
    throw new ConfigError(`pre-training epochs ${settings.epochs}: an integer of at least 1 would be right`);
  }
  if (!(settings.alpha >= 0 && settings.alpha <= 1)) {
    throw new ConfigError(`pre-training alpha ${settings.alpha}: a number from 0 to 1 would be right`);
  }
  return settings;
}

/**
 * How a branch is trained before the fusion: by Adam at the preset's rate, as the paper does, and by the settings of the
 * whole run in all else; but it draws batches, negatives and first weights of its own.
 */
export function branchSettings(
  settings: TrainSettings,
  { epochs }: PretrainSettings,
  branch: BranchKind,
): TrainSettings {
  const { preset, seed } = settings;
  const [own] = pcg4d(new Uint32Array(4), seed, STREAM.pretraining, 0, BRANCHES.indexOf(branch));
  const adam = { optimizer: 'adam', momentum: 0, lr: PRESETS[preset]!.lr } as const;
  return resolveSettings({ ...settings, ...adam, model: branch, epochs, seed: own! });
}
