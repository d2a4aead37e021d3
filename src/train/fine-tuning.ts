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
 * Learning rate of fine-tuning by gradient descent; the paper does not say its own. The loss is a mean over the batch, so
 * that a sample moves the rows that it looks up by lr / batchSize times its own gradient: at 0.3 and 256 samples by 1.2e-3
 * times, about as far as Adam's 1e-3. Of 0.001 to 3, tried on validation items of Online Retail (paper-8, 5 epochs a branch,
 * 2 of fine-tuning), it is the largest by which the loss fell from the first epoch on; smaller ones hardly moved the model.
 */
export const FINE_TUNING_LR = 0.3;

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
  if (typeof settings.alpha !== 'number' || !(settings.alpha >= 0 && settings.alpha <= 1)) {
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
