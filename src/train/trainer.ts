import { Clock } from '../autograd/clock.ts';
import { record } from '../autograd/tape.ts';
import { popularityScorer } from '../baselines/popularity.ts';
import { randomScorer } from '../baselines/random.ts';
import { candidateRanks } from '../baselines/ranks.ts';
import type { Split } from '../data/split.ts';
import { NonFiniteError } from '../errors.ts';
import { type Candidates, candidates } from '../evaluate/candidates.ts';
import { LeaveOneOut } from '../evaluate/leave-one-out.ts';
import { hitRate, ndcg } from '../evaluate/metrics.ts';
import type { Gpu } from '../gpu/device.ts';
import { Pacer } from '../gpu/pacer.ts';
import { type Plan, runPlans } from '../gpu/plan.ts';
import { hiddenUnits } from '../models/config.ts';
import { Model } from '../models/model.ts';
import { Adam } from '../optim/adam.ts';
import { DeferredAdam } from '../optim/deferred-adam.ts';
import { Sgd } from '../optim/sgd.ts';
import { fusedStep } from './fused-step.ts';
import type { EpochEvent, Metrics } from './history.ts';
import { BatchSampler } from './sampler.ts';
import { modelConfig, resolveSettings, type TrainSettings } from './settings.ts';
import { trainingStep } from './step.ts';

/** Where an epoch stands; sent a few times a second. */
export interface TrainProgress {
  /** 1 for the first. */
  readonly epoch: number;
  /** Samples of this epoch that were trained on, of `total`. */
  readonly done: number;
  readonly total: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
}

export interface TrainerOptions {
  /** Stops the run after the submit in flight; a checkpoint then goes on from that very step. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Steps in one submit; found by itself when left out. It does not change the result. */
  readonly stepsPerSubmit?: number;
}

const PROGRESS_MS = 250;

/** Trains one model on one split: `for await (const epoch of trainer) …` yields each epoch's record. */
export class Trainer {
  readonly gpu: Gpu;
  readonly split: Split;
  readonly settings: TrainSettings;
  readonly model: Model;
  readonly optimizer: Adam | Sgd;
  readonly sampler: BatchSampler;
  readonly clock: Clock;
  /** What is ranked in evaluation; null when nothing is evaluated. */
  readonly candidates: Candidates | null;
  readonly history: EpochEvent[] = [];
  /** Training steps done; set by a checkpoint. */
  step = 0;
  /** The losses of this epoch's steps that were read back, for the steps before `step` at the latest. */
  readonly losses: Float32Array<ArrayBuffer>;
  readonly #options: TrainerOptions;
  readonly #full: Plan;
  readonly #last: Plan;
  readonly #evaluation: LeaveOneOut | null;

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
    await Promise.all([trainer.#full.compile(), trainer.#last.compile(), trainer.#evaluation?.compile()]);
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
    const normalised = config.batchNorm && hiddenUnits(config).length > 0;
    this.sampler = new BatchSampler(gpu, split, settings, normalised);
    this.clock = new Clock(gpu, this.sampler.batches);
    this.losses = new Float32Array(this.sampler.batches);
    this.optimizer = this.#newOptimizer();
    this.#full = this.#record(this.sampler.rows(0));
    const rest = this.sampler.rows(this.sampler.batches - 1);
    this.#last = rest === this.sampler.rows(0) ? this.#full : this.#record(rest);
    this.candidates = settings.eval === 'loo' ? candidates(split, settings.seed) : null;
    this.#evaluation = this.candidates && new LeaveOneOut(gpu, () => this.model.evaluation(), this.candidates);
  }

  #newOptimizer(): Adam | Sgd {
    const { parameters, tables } = this.model;
    const { optimizer, lr, weightDecay } = this.settings;
    if (optimizer === 'sgd') return new Sgd(parameters, { lr, weightDecay });
    if (DeferredAdam.fits(tables)) return new DeferredAdam(parameters, this.clock, tables, { lr, weightDecay });
    return new Adam(parameters, this.clock, { lr, weightDecay });
  }

  /** The training step for a batch of so many rows, sampling included. */
  #record(rows: number): Plan {
    const { model, optimizer, clock, sampler } = this;
    const { clipNorm, seed } = this.settings;
    return record(this.gpu, 'training step', () => {
      const batch = sampler.draw(clock, rows);
      const options = { model, clock, clipNorm, dropout: { seed, step: clock.step } };
      if (optimizer instanceof DeferredAdam) fusedStep(batch, { ...options, optimizer });
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
    const { sampler, settings } = this;
    this.clock.set(this.step);
    const pacer = new Pacer(this.gpu, this.#options.stepsPerSubmit);
    while (this.step < settings.epochs * sampler.batches) {
      const epoch = Math.floor(this.step / sampler.batches) + 1;
      const firstStep = this.step % sampler.batches;
      const start = performance.now();
      await this.#trainEpoch(epoch, pacer);
      if (this.step < epoch * sampler.batches) return; // stopped within the epoch
      const seconds = (performance.now() - start) / 1000;
      const event = {
        event: 'epoch' as const,
        epoch,
        loss: this.#meanLoss(sampler.batches),
        ...(epoch % settings.evalEvery === 0 || epoch === settings.epochs ? await this.#timedEvaluation() : {}),
        seconds,
        samplesPerSecond: (this.#samplesBefore(sampler.batches) - this.#samplesBefore(firstStep)) / seconds,
      };
      this.history.push(event);
      yield event;
      if (this.stopped) return;
    }
  }

  /** HR@10 and NDCG@10 of the model as it is. Throws when `settings.eval` is none. */
  async evaluate(): Promise<Metrics> {
    if (!this.#evaluation) throw new Error('this trainer was made without evaluation');
    return metricsOf(await this.#evaluation.ranks());
  }

  /** Brings all weights and moments up to date, where the optimizer puts some of its steps off. */
  settle(): void {
    if (this.optimizer instanceof DeferredAdam) this.optimizer.settle();
  }

  /** What popularity and chance reach on the same candidates. */
  baselines(): Record<string, Metrics> {
    if (!this.candidates) return {};
    return {
      random: metricsOf(candidateRanks(this.candidates, randomScorer(this.settings.seed))),
      popularity: metricsOf(candidateRanks(this.candidates, popularityScorer(this.split))),
    };
  }

  /** SHA-256 of all weights and running averages, in the order of the parameter list. */
  async weightsSha256(): Promise<string> {
    const parts = [];
    for (const [, tensor] of this.model.parameters.entries()) parts.push(await tensor.data());
    const digest = await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer());
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  async #trainEpoch(epoch: number, pacer: Pacer): Promise<void> {
    const { gpu, sampler } = this;
    const { batches } = sampler;
    let report: Promise<void> = Promise.resolve();
    let reporting = false;
    let lastReport = performance.now();
    for (let batch = this.step % batches; batch < batches && !this.stopped; ) {
      const repeats = Math.min(pacer.repeats, batches - batch);
      const first = batch;
      runPlans(gpu, 'train', (replay) => {
        for (let i = first; i < first + repeats; i++) replay(i === batches - 1 ? this.#last : this.#full);
      });
      batch += repeats;
      this.step += repeats;
      if (!reporting && performance.now() - lastReport > PROGRESS_MS) {
        reporting = true;
        const upTo = batch;
        report = this.#readLosses(upTo).then(() => {
          this.#options.onProgress?.({
            epoch,
            done: this.#samplesBefore(upTo),
            total: this.#samplesBefore(batches),
            loss: this.#meanLoss(upTo),
          });
          lastReport = performance.now();
          reporting = false;
        });
        report.catch(() => {}); // it is awaited below; until then it must not count as unhandled
      }
      await pacer.submitted(repeats);
    }
    await report;
    await pacer.drain();
    await this.#readLosses(((this.step - 1) % batches) + 1);
  }

  /** Fetches the losses of the epoch's first `count` steps. Throws NonFiniteError. */
  async #readLosses(count: number): Promise<void> {
    const { buffer } = this.clock.losses.view;
    this.losses.set(new Float32Array(await this.gpu.read({ buffer, offset: 0, size: 4 * count })));
    const bad = this.losses.subarray(0, count).findIndex((loss) => !Number.isFinite(loss));
    if (bad < 0) return;
    const epoch = Math.floor((this.step - 1) / this.sampler.batches) + 1;
    throw new NonFiniteError(
      `the loss became ${this.losses[bad]} in epoch ${epoch} at step ${bad + 1} of ${this.sampler.batches}; a smaller learning rate (now ${this.settings.lr}) or gradient clipping may help`,
    );
  }

  #samplesBefore(batch: number): number {
    return Math.min(batch * this.settings.batchSize, this.sampler.samples - this.sampler.leftOut);
  }

  /** Mean loss a sample over the epoch's first `batches` batches. */
  #meanLoss(batches: number): number {
    let sum = 0;
    for (let batch = 0; batch < batches; batch++) sum += this.losses[batch]! * this.sampler.rows(batch);
    return sum / this.#samplesBefore(batches);
  }

  async #timedEvaluation() {
    if (!this.#evaluation) return {};
    const start = performance.now();
    const metrics = await this.evaluate();
    return { ...metrics, evalSeconds: (performance.now() - start) / 1000 };
  }
}

function metricsOf(ranks: ArrayLike<number>): Metrics {
  return { 'hr@10': hitRate(ranks, 10), 'ndcg@10': ndcg(ranks, 10) };
}
