import { Clock } from '../autograd/clock.ts';
import type { SoftmaxOptions } from '../autograd/ops/in-batch-softmax.ts';
import { record, tensor } from '../autograd/tape.ts';
import { popularityScorer } from '../baselines/popularity.ts';
import { chanceRanks } from '../baselines/random.ts';
import { ranksBy } from '../baselines/ranks.ts';
import type { Split } from '../data/split.ts';
import { validationAsTest } from '../data/validation.ts';
import { ConfigError } from '../errors.ts';
import { type Evaluated, Evaluation } from '../evaluate/evaluation.ts';
import type { Gpu } from '../gpu/device.ts';
import { Pacer } from '../gpu/pacer.ts';
import type { Plan } from '../gpu/plan.ts';
import { normalisesBatches } from '../models/config.ts';
import { Model } from '../models/model.ts';
import type { Adam } from '../optim/adam.ts';
import { DeferredAdam } from '../optim/deferred-adam.ts';
import { RowAdam } from '../optim/row-adam.ts';
import type { Sgd } from '../optim/sgd.ts';
import { STREAM } from '../random.ts';
import { BestWeights } from './best-weights.ts';
import { type TrainProgress, trainEpoch } from './epoch.ts';
import { fusedStep } from './fused-step.ts';
import { type Best, bestEpoch, type EpochEvent, outOfPatience } from './history.ts';
import { logPopularity } from './log-popularity.ts';
import { Losses } from './losses.ts';
import { newOptimizer } from './optimizer.ts';
import { BatchSampler } from './sampler.ts';
import { learningRate } from './schedule.ts';
import { modelConfig, resolveSettings, type TrainSettings } from './settings.ts';
import { trainingStep } from './step.ts';

export interface TrainerOptions {
  /** Stops the run after the submit in flight; a checkpoint then goes on from that very step. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Steps in one submit; found by itself when left out. It does not change the result. */
  readonly stepsPerSubmit?: number;
}

/** The step of a full batch, and that of the last batch of an epoch. */
interface Steps {
  readonly full: Plan;
  readonly last: Plan;
}

/** Trains one model on one split: `for await (const epoch of trainer) …` yields each epoch's record. */
export class Trainer {
  readonly gpu: Gpu;
  readonly split: Split;
  readonly settings: TrainSettings;
  readonly model: Model;
  readonly optimizer: Adam | Sgd;
  readonly sampler: BatchSampler;
  readonly clock: Clock;
  /** Ranks the test items; null when nothing is evaluated. */
  readonly evaluation: Evaluation | null;
  /** Ranks the validation items, which epochs are evaluated on where there are any; null otherwise. */
  readonly validation: Evaluation | null;
  readonly weights: BestWeights;
  readonly history: EpochEvent[] = [];
  /** Training steps done; set by a checkpoint. */
  step = 0;
  readonly losses: Losses;
  readonly #options: TrainerOptions;
  readonly #softmax: SoftmaxOptions | undefined;
  /** The step of an epoch's batches, and with negatives drawn hard where they are at some time. */
  readonly #steps: { readonly usual: Steps; readonly hard: Steps | null };
  /** The optimizer's present rate. */
  #lr: number;
  #tested: Evaluated | null = null;

  /**
   * Builds the model and everything that training needs, compiled and ready.
   * Throws ConfigError, DataError or GpuError for what cannot work.
   */
  static async create(
    gpu: Gpu,
    split: Split,
    settings: Partial<TrainSettings> = {},
    options: TrainerOptions = {},
  ): Promise<Trainer> {
    const trainer = new Trainer(gpu, split, resolveSettings(settings), options);
    const { evaluation, validation } = trainer;
    const { usual, hard } = trainer.#steps;
    const plans = [usual.full, usual.last, hard?.full, hard?.last, evaluation, validation];
    await Promise.all(plans.map((plan) => plan?.compile()));
    gpu.check();
    return trainer;
  }

  private constructor(gpu: Gpu, split: Split, settings: TrainSettings, options: TrainerOptions) {
    this.gpu = gpu;
    this.split = split;
    this.settings = settings;
    this.#options = options;
    const config = modelConfig(settings, split.users, split.items);
    this.model = new Model(gpu, config, settings.seed);
    this.sampler = new BatchSampler(gpu, split, settings, normalisesBatches(config));
    this.clock = new Clock(gpu, this.sampler.batches);
    this.losses = new Losses(this.clock, this.sampler);
    this.optimizer = newOptimizer(this.model, this.clock, settings);
    this.#softmax =
      settings.loss === 'in-batch-softmax'
        ? { logQ: tensor(gpu, logPopularity(split), { label: 'log popularity' }), temperature: settings.temperature }
        : undefined;
    this.#steps = { usual: this.#newSteps(false), hard: settings.sampler === 'hard' ? this.#newSteps(true) : null };
    this.#lr = settings.lr;
    this.weights = new BestWeights(this.model);
    this.evaluation = this.#newEvaluation(split, settings.evalSeed);
    this.validation = settings.validation ? this.#newValidation() : null;
  }

  #newEvaluation(split: Split, seed: number): Evaluation | null {
    const { eval: protocol, k } = this.settings;
    return protocol === 'none' ? null : new Evaluation(this.gpu, this.model, split, { eval: protocol, k, seed });
  }

  #newValidation(): Evaluation | null {
    const { split, settings } = this;
    if (!split.validation?.users.length) {
      throw new ConfigError(
        split.validation
          ? 'validation: no user has interactions enough for a validation item; no validation would be right'
          : 'validation: the split has no validation items; loadDataset with validation holds some out',
      );
    }
    const seed = (settings.evalSeed ^ STREAM.validation) >>> 0; // other negatives than the test items have
    return this.#newEvaluation(validationAsTest(split), seed);
  }

  #newSteps(hard: boolean): Steps {
    const [rows, rest] = [this.sampler.rows(0), this.sampler.rows(this.sampler.batches - 1)];
    const full = this.#record(rows, hard);
    return { full, last: rest === rows ? full : this.#record(rest, hard) };
  }

  /** The training step for a batch of so many rows, sampling included. @param hard whether negatives are drawn hard */
  #record(rows: number, hard: boolean): Plan {
    const { model, optimizer, clock, sampler } = this;
    const { clipNorm, seed } = this.settings;
    const softmax = this.#softmax;
    return record(this.gpu, 'training step', () => {
      const batch = sampler.draw(clock, rows, hard ? model.scoring() : undefined);
      const options = { model, clock, clipNorm, dropout: { seed, step: clock.step }, softmax };
      if (optimizer instanceof RowAdam) fusedStep(batch, { ...options, optimizer });
      else trainingStep(batch, { ...options, optimizer });
    });
  }

  /** The recorded step of a full batch, for those who want to look at its dispatches or profile them. */
  get plan(): Plan {
    return this.#steps.usual.full;
  }

  /** Whether all epochs are done, or early stopping has ended the run. */
  get finished(): boolean {
    const { epochs, patience } = this.settings;
    return this.step >= epochs * this.sampler.batches || outOfPatience(this.history, patience);
  }

  /** Whether the signal ended the run before it was finished. */
  get stopped(): boolean {
    const { aborted = false } = this.#options.signal ?? {};
    return aborted && !this.finished;
  }

  /** The best epoch so far; its figures on the test items, where validation items choose it, come as the run ends. */
  get best(): Best | null {
    const best = bestEpoch(this.history);
    return best && { ...best, ...this.#tested };
  }

  /**
   * Trains the epochs that are left. Where validation items choose the best epoch, the model then has its weights, with
   * which the test items are evaluated once.
   * Throws NonFiniteError when the loss leaves the numbers, GpuError for a lost GPU.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<EpochEvent, void> {
    const { gpu, sampler, losses, settings, optimizer, history } = this;
    const { signal, onProgress, stepsPerSubmit } = this.#options;
    this.clock.set(this.step);
    const pacer = new Pacer(gpu, stepsPerSubmit);
    while (!this.finished) {
      const epoch = Math.floor(this.step / sampler.batches) + 1;
      const firstStep = this.step % sampler.batches;
      const lr = learningRate(settings, epoch, history);
      if (lr !== this.#lr) optimizer.setLearningRate(lr);
      this.#lr = lr;
      const start = performance.now();
      const { full, last } = (epoch >= settings.hardFrom ? this.#steps.hard : null) ?? this.#steps.usual;
      const progress = { epoch, lr, signal, onProgress };
      const done = await trainEpoch(firstStep, { gpu, sampler, losses, full, last, pacer, ...progress });
      this.step += done - firstStep;
      if (done < sampler.batches) return; // stopped within the epoch
      const seconds = (performance.now() - start) / 1000;
      const event = {
        event: 'epoch' as const,
        epoch,
        lr,
        loss: losses.mean(sampler.batches),
        ...(epoch % settings.evalEvery === 0 || epoch === settings.epochs ? await this.#timedEvaluation() : {}),
        seconds,
        samplesPerSecond: (sampler.samplesBefore(sampler.batches) - sampler.samplesBefore(firstStep)) / seconds,
      };
      history.push(event);
      if (this.validation && bestEpoch(history)?.epoch === epoch) await this.weights.keep();
      yield event;
      if (this.stopped) return;
    }
    if (!this.validation) return;
    await this.weights.take();
    this.#tested = await this.evaluate();
  }

  /** The metrics of the model as it is, on the test items. Throws when `settings.eval` is none. */
  async evaluate(): Promise<Evaluated> {
    if (!this.evaluation) throw new Error('this trainer was made without evaluation');
    return this.evaluation.metrics();
  }

  /** Brings all weights and moments up to date, where the optimizer puts some of its steps off. */
  settle(): void {
    if (this.optimizer instanceof DeferredAdam) this.optimizer.settle();
  }

  /** What popularity and chance reach under the same protocols, on the test items or the validation items. */
  baselines(evaluation = this.evaluation): Record<string, Evaluated> {
    if (!evaluation) return {};
    return {
      random: evaluation.metricsOf(chanceRanks(evaluation, this.settings.evalSeed)),
      popularity: evaluation.metricsOf(ranksBy(evaluation, popularityScorer(this.split))),
    };
  }

  /** SHA-256 of all weights and running averages, in the order of the parameter list. */
  async weightsSha256(): Promise<string> {
    const parts = [];
    for (const [, tensor] of this.model.parameters.entries()) parts.push(await tensor.data());
    const digest = await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer());
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  async #timedEvaluation(): Promise<Partial<EpochEvent>> {
    if (!this.evaluation) return {};
    const start = performance.now();
    const figures = this.validation ? { validation: await this.validation.metrics() } : await this.evaluate();
    return { ...figures, evalSeconds: (performance.now() - start) / 1000 };
  }
}
