import { Clock } from '../autograd/clock.ts';
import { record } from '../autograd/tape.ts';
import { popularityScorer } from '../baselines/popularity.ts';
import { randomScorer } from '../baselines/random.ts';
import { ranksBy } from '../baselines/ranks.ts';
import type { Split } from '../data/split.ts';
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
import { type TrainProgress, trainEpoch } from './epoch.ts';
import { fusedStep } from './fused-step.ts';
import type { EpochEvent } from './history.ts';
import { Losses } from './losses.ts';
import { newOptimizer } from './optimizer.ts';
import { BatchSampler } from './sampler.ts';
import { modelConfig, resolveSettings, type TrainSettings } from './settings.ts';
import { trainingStep } from './step.ts';

export interface TrainerOptions {
  /** Stops the run after the submit in flight; a checkpoint then goes on from that very step. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Steps in one submit; found by itself when left out. It does not change the result. */
  readonly stepsPerSubmit?: number;
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
  /** Ranks the held-out items; null when nothing is evaluated. */
  readonly evaluation: Evaluation | null;
  readonly history: EpochEvent[] = [];
  /** Training steps done; set by a checkpoint. */
  step = 0;
  readonly losses: Losses;
  readonly #options: TrainerOptions;
  readonly #full: Plan;
  readonly #last: Plan;

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
    await Promise.all([trainer.#full.compile(), trainer.#last.compile(), trainer.evaluation?.compile()]);
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
    this.#full = this.#record(this.sampler.rows(0));
    const rest = this.sampler.rows(this.sampler.batches - 1);
    this.#last = rest === this.sampler.rows(0) ? this.#full : this.#record(rest);
    const { eval: protocol, k, evalSeed: seed } = settings;
    this.evaluation = protocol === 'none' ? null : new Evaluation(gpu, this.model, split, { eval: protocol, k, seed });
  }

  /** The training step for a batch of so many rows, sampling included. */
  #record(rows: number): Plan {
    const { model, optimizer, clock, sampler } = this;
    const { clipNorm, seed } = this.settings;
    return record(this.gpu, 'training step', () => {
      const batch = sampler.draw(clock, rows);
      const options = { model, clock, clipNorm, dropout: { seed, step: clock.step } };
      if (optimizer instanceof RowAdam) fusedStep(batch, { ...options, optimizer });
      else trainingStep(batch, { ...options, optimizer });
    });
  }

  /** The recorded step of a full batch, for those who want to look at its dispatches or profile them. */
  get plan(): Plan {
    return this.#full;
  }

  /** Whether the signal ended the run before its last epoch was done. */
  get stopped(): boolean {
    const { aborted = false } = this.#options.signal ?? {};
    return aborted && this.step < this.settings.epochs * this.sampler.batches;
  }

  /** Trains the epochs that are left. Throws NonFiniteError when the loss leaves the numbers, GpuError for a lost GPU. */
  async *[Symbol.asyncIterator](): AsyncGenerator<EpochEvent, void> {
    const { gpu, sampler, losses, settings } = this;
    const [full, last] = [this.#full, this.#last];
    const { signal, onProgress, stepsPerSubmit } = this.#options;
    this.clock.set(this.step);
    const pacer = new Pacer(gpu, stepsPerSubmit);
    while (this.step < settings.epochs * sampler.batches) {
      const epoch = Math.floor(this.step / sampler.batches) + 1;
      const firstStep = this.step % sampler.batches;
      const start = performance.now();
      const progress = { epoch, lr: settings.lr, signal, onProgress };
      const done = await trainEpoch(firstStep, { gpu, sampler, losses, full, last, pacer, ...progress });
      this.step += done - firstStep;
      if (done < sampler.batches) return; // stopped within the epoch
      const seconds = (performance.now() - start) / 1000;
      const event = {
        event: 'epoch' as const,
        epoch,
        loss: losses.mean(sampler.batches),
        ...(epoch % settings.evalEvery === 0 || epoch === settings.epochs ? await this.#timedEvaluation() : {}),
        seconds,
        samplesPerSecond: (sampler.samplesBefore(sampler.batches) - sampler.samplesBefore(firstStep)) / seconds,
      };
      this.history.push(event);
      yield event;
      if (this.stopped) return;
    }
  }

  /** The metrics of the model as it is. Throws when `settings.eval` is none. */
  async evaluate(): Promise<Evaluated> {
    if (!this.evaluation) throw new Error('this trainer was made without evaluation');
    return this.evaluation.metrics();
  }

  /** Brings all weights and moments up to date, where the optimizer puts some of its steps off. */
  settle(): void {
    if (this.optimizer instanceof DeferredAdam) this.optimizer.settle();
  }

  /** What popularity and chance reach under the same protocols. */
  baselines(): Record<string, Evaluated> {
    const { evaluation } = this;
    if (!evaluation) return {};
    const scorers = { random: randomScorer(this.settings.evalSeed), popularity: popularityScorer(this.split) };
    const entries = Object.entries(scorers);
    return Object.fromEntries(entries.map(([name, score]) => [name, evaluation.metricsOf(ranksBy(evaluation, score))]));
  }

  /** SHA-256 of all weights and running averages, in the order of the parameter list. */
  async weightsSha256(): Promise<string> {
    const parts = [];
    for (const [, tensor] of this.model.parameters.entries()) parts.push(await tensor.data());
    const digest = await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer());
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  async #timedEvaluation() {
    if (!this.evaluation) return {};
    const start = performance.now();
    const metrics = await this.evaluate();
    return { ...metrics, evalSeconds: (performance.now() - start) / 1000 };
  }
}
