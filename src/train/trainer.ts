import { Clock } from '../autograd/clock.ts';
import { popularityScorer } from '../baselines/popularity.ts';
import { chanceRanks } from '../baselines/random.ts';
import { ranksBy } from '../baselines/ranks.ts';
import type { Split } from '../data/split.ts';
import type { Evaluated, Evaluation } from '../evaluate/evaluation.ts';
import type { Gpu } from '../gpu/device.ts';
import { Pacer } from '../gpu/pacer.ts';
import type { Plan } from '../gpu/plan.ts';
import { type ModelConfig, normalisesBatches } from '../models/config.ts';
import { Model } from '../models/model.ts';
import type { Adam } from '../optim/adam.ts';
import { DeferredAdam } from '../optim/deferred-adam.ts';
import type { Sgd } from '../optim/sgd.ts';
import { BestWeights } from './best-weights.ts';
import { type Interlude, type TrainProgress, trainEpoch } from './epoch.ts';
import { newEvaluations } from './evaluations.ts';
import { type Best, bestEpoch, type EpochEvent, outOfPatience, type RecoveredEvent } from './history.ts';
import { Losses } from './losses.ts';
import { withinMemory } from './memory.ts';
import { newOptimizer } from './optimizer.ts';
import { type RecordedSteps, recordSteps } from './recorded-steps.ts';
import { rewinding } from './rewinding.ts';
import { BatchSampler } from './sampler.ts';
import { learningRate } from './schedule.ts';
import { modelConfig, resolveSettings, type TrainSettings } from './settings.ts';
import { Watch } from './watch.ts';

export interface TrainerOptions {
  /**
   * Stops the run after the submit in flight; a checkpoint then goes on from that very step. It is looked up anew whenever
   * training goes on.
   */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Is told that the run has gone back, which it does where `settings.onNan` has it. */
  readonly onRecovered?: (event: RecoveredEvent) => void;
  /** Steps in one submit; found by itself when left out. It does not change the result. */
  readonly stepsPerSubmit?: number;
  readonly interlude?: Interlude;
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
  /** How often a step left the numbers and the run went back, each time to half the rate; set by a checkpoint. */
  readonly rewinds: RecoveredEvent[] = [];
  /** Training steps done; set by a checkpoint. */
  step = 0;
  /** What ended an epoch within a step; a checkpoint puts that right. */
  brokenBy: Error | null = null;
  readonly losses: Losses;
  readonly #options: TrainerOptions;
  readonly #steps: RecordedSteps;
  /** The optimizer's present rate. */
  #lr: number;
  #tested: Evaluated | null = null;

  /**
   * Builds the model and everything that training needs, compiled and ready.
   * Throws ConfigError, DataError or GpuError for what cannot work; GpuOutOfMemoryError has a plan of the memory.
   */
  static async create(
    gpu: Gpu,
    split: Split,
    settings: Partial<TrainSettings> = {},
    options: TrainerOptions = {},
  ): Promise<Trainer> {
    const resolved = resolveSettings(settings);
    const config = modelConfig(resolved, split.users, split.items);
    const trainer = await withinMemory(gpu, config, resolved, () => new Trainer(gpu, split, resolved, config, options));
    const { evaluation, validation } = trainer;
    const { usual, hard } = trainer.#steps;
    const plans = [usual.full, usual.last, hard?.full, hard?.last, evaluation, validation];
    await Promise.all(plans.map((plan) => plan?.compile()));
    gpu.check();
    return trainer;
  }

  private constructor(gpu: Gpu, split: Split, settings: TrainSettings, config: ModelConfig, options: TrainerOptions) {
    this.gpu = gpu;
    this.split = split;
    this.settings = settings;
    this.#options = options;
    this.model = new Model(gpu, config, settings.seed);
    this.sampler = new BatchSampler(gpu, split, settings, normalisesBatches(config));
    this.clock = new Clock(gpu, this.sampler.batches);
    this.losses = new Losses(this.clock, this.sampler);
    this.optimizer = newOptimizer(this.model, this.clock, settings);
    this.#steps = recordSteps(this);
    this.#lr = settings.lr;
    this.weights = new BestWeights(this.model);
    const { evaluation, validation } = newEvaluations(gpu, this.model, split, settings);
    this.evaluation = evaluation;
    this.validation = validation;
  }

  /** The recorded step of a full batch, for those who want to look at its dispatches or profile them. */
  get plan(): Plan {
    return this.#steps.usual.full;
  }

  /** The present learning rate. */
  get lr(): number {
    return this.#lr;
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
   * Throws NonFiniteError when loss or gradients leave the numbers, after going back where `settings.onNan` has it;
   * GpuError for a lost GPU.
   */
  [Symbol.asyncIterator](): AsyncGenerator<EpochEvent, void> {
    const epochs = () => this.#epochs();
    return this.settings.onNan === 'rewind' ? rewinding(this, epochs, this.#options.onRecovered) : epochs();
  }

  async *#epochs(): AsyncGenerator<EpochEvent, void> {
    const { gpu, sampler, losses, settings, optimizer, history } = this;
    const { signal, onProgress, stepsPerSubmit, interlude } = this.#options;
    this.check();
    this.clock.set(this.step);
    this.#tested = null;
    const pacer = new Pacer(gpu, stepsPerSubmit);
    const watch = new Watch(this.clock, sampler);
    while (!this.finished) {
      const epoch = Math.floor(this.step / sampler.batches) + 1;
      const firstStep = this.step % sampler.batches;
      const lr = learningRate(settings, epoch, history) / 2 ** this.rewinds.length;
      if (lr !== this.#lr) optimizer.setLearningRate(lr);
      this.#lr = lr;
      const hard = epoch >= settings.hardFrom ? this.#steps.hard : null;
      const { full, last } = hard ?? this.#steps.usual;
      const watched = { watch, epoch, lr, hard: hard !== null };
      const progress = { signal, interlude, onProgress };
      const steps = { gpu, sampler, losses, full, last, pacer, ...watched, ...progress };
      let done = firstStep;
      let seconds = 0;
      for (;;) {
        const start = performance.now();
        const reached = await trainEpoch(done, steps).catch((error: Error) => {
          this.brokenBy = error;
          throw error;
        });
        seconds += (performance.now() - start) / 1000;
        this.step += reached - done;
        done = reached;
        if (done === sampler.batches) break;
        if (signal?.aborted) return;
        await interlude!.hold();
      }
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

  /** Throws what ended an epoch within a step: the weights are then no step's, and there is nothing to go on from. */
  check(): void {
    if (this.brokenBy) throw this.brokenBy;
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
