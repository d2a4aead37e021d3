import type { Split } from '../data/split.ts';
import { validationAsTest } from '../data/validation.ts';
import { ConfigError } from '../errors.ts';
import { Evaluation } from '../evaluate/evaluation.ts';
import type { Gpu } from '../gpu/device.ts';
import type { Model } from '../models/model.ts';
import { STREAM } from '../random.ts';
import type { TrainSettings } from './settings.ts';

/** What ranks a model's held-out items. */
export interface Evaluations {
  /** The test items; null when nothing is evaluated. */
  readonly evaluation: Evaluation | null;
  /** The validation items, which epochs are evaluated on where there are any; null otherwise. */
  readonly validation: Evaluation | null;
}

/** Throws ConfigError for validation without validation items, DataError when nobody has a test item. */
export function newEvaluations(gpu: Gpu, model: Model, split: Split, settings: TrainSettings): Evaluations {
  const { eval: protocol, k, evalSeed: seed, validation } = settings;
  if (protocol === 'none') return { evaluation: null, validation: null };
  const evaluation = new Evaluation(gpu, model, split, { eval: protocol, k, seed });
  if (!validation) return { evaluation, validation: null };
  if (!split.validation?.users.length) {
    throw new ConfigError(
      split.validation
        ? 'validation: no user has interactions enough for a validation item; no validation would be right'
        : 'validation: the split has no validation items; loadDataset with validation holds some out',
    );
  }
  const other = (seed ^ STREAM.validation) >>> 0; // other negatives than the test items have
  const validationItems = validationAsTest(split);
  return { evaluation, validation: new Evaluation(gpu, model, validationItems, { eval: protocol, k, seed: other }) };
}
