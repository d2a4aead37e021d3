/** Baselines that have to be fitted, each to the data and under the protocols of a trainer. */
import { DEFAULT_LAMBDA, easeScorer } from '../baselines/ease.ts';
import { DEFAULT_NEIGHBOURS, itemKnnScorer } from '../baselines/item-knn.ts';
import type { Watch } from '../baselines/long-loop.ts';
import { ranksBy, type Scorer } from '../baselines/ranks.ts';
import type { Split } from '../data/split.ts';
import { ConfigError } from '../errors.ts';
import type { Evaluated, Evaluation } from '../evaluate/evaluation.ts';
import type { TrainSettings } from './settings.ts';
import { Trainer } from './trainer.ts';

/** A baseline's figures under the trainer's protocols. */
export interface BaselineFigures {
  readonly test: Evaluated;
  /** On the validation items; null where the trainer evaluates none. */
  readonly validation: Evaluated | null;
}

export interface FittedBaseline {
  /** As tables have it. */
  readonly name: string;
  /** What it is and with which settings, after its name. */
  readonly about: string;
  /** Throws ConfigError when the trainer evaluates nothing or it does not fit the data, the signal's reason when stopped. */
  evaluate(trainer: Trainer, watch?: Watch): Promise<BaselineFigures>;
}

/** Chosen on the bundled data's validation items. */
const MF = {
  model: 'mf',
  gmfDim: 64,
  optimizer: 'adam',
  lr: 0.001,
  weightDecay: 1e-6,
  batchSize: 1024,
  negatives: 4,
  sampler: 'uniform',
  epochs: 20,
} as const satisfies Partial<TrainSettings>;

/** Their descriptions are written when asked for: a bundler drops what nobody uses only where loading it computes nothing. */
export const FITTED_BASELINES: readonly FittedBaseline[] = [
  {
    name: 'item-kNN',
    get about() {
      return `cosine, ${DEFAULT_NEIGHBOURS} neighbours`;
    },
    evaluate: (trainer, watch) => scored(itemKnnScorer, trainer, watch),
  },
  {
    name: 'EASE',
    get about() {
      return `λ ${DEFAULT_LAMBDA}`;
    },
    evaluate: (trainer, watch) => scored(easeScorer, trainer, watch),
  },
  {
    name: 'MF',
    get about() {
      return `${MF.gmfDim} dimensions and biases, ${MF.negatives} negatives, Adam at ${MF.lr}, the model of epoch ${MF.epochs}`;
    },
    evaluate: trainMf,
  },
];

async function scored(
  fittedTo: (split: Split, watch: Watch) => Promise<Scorer>,
  trainer: Trainer,
  watch: Watch = {},
): Promise<BaselineFigures> {
  checkEvaluation(trainer);
  const { split, evaluation, validation } = trainer;
  const scorer = await fittedTo(split, watch);
  const figures = (of: Evaluation) => of.metricsOf(ranksBy(of, scorer));
  return { test: figures(evaluation!), validation: validation && figures(validation) };
}

/** Trains matrix factorisation from the trainer's seed, and evaluates it at the end alone: nothing is chosen. */
async function trainMf(trainer: Trainer, { signal, onProgress }: Watch = {}): Promise<BaselineFigures> {
  checkEvaluation(trainer);
  const { gpu, split, settings } = trainer;
  const { seed, evalSeed, eval: protocol, k, validation } = settings;
  const evaluated = { seed, evalSeed, eval: protocol, k, validation, evalEvery: MF.epochs };
  const mf = await Trainer.create(
    gpu,
    split,
    { ...MF, ...evaluated },
    {
      ...(signal && { signal }),
      onProgress: ({ epoch, done, total }) => onProgress?.((epoch - 1 + done / total) / MF.epochs),
    },
  );
  for await (const _ of mf);
  signal?.throwIfAborted();
  return { test: await mf.evaluate(), validation: mf.validation && (await mf.validation.metrics()) };
}

function checkEvaluation({ evaluation }: Trainer): void {
  if (!evaluation) {
    throw new ConfigError('baselines with eval none: there is nothing to compare with; eval loo would be right');
  }
}
