import type { Dataset } from '../../src/data/dataset.ts';
import { DeviceLostError } from '../../src/errors.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import { FITTED_BASELINES } from '../../src/train/fitted-baselines.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { Trainer, type TrainerOptions } from '../../src/train/trainer.ts';
import { Eta } from '../train/eta.ts';
import { startEvent } from '../train/start.ts';
import type { RunState, Told } from './protocol.ts';

/** Item-kNN is fitted beside the training where it takes a few seconds: up to so many training interactions and items. */
const CHEAP = { interactions: 2e6, items: 20_000 };
/** Losses of the device without an epoch between them after which a run gives up. */
const MOST_LOSSES = 3;

/** A model in training, which halts and goes on at any step, and outlives its device. */
export class Run {
  readonly dataset: Dataset;
  readonly #settings: Partial<TrainSettings>;
  readonly #tell: (told: Told) => void;
  readonly #eta = new Eta();
  #gpu: Gpu;
  #trainer: Trainer;
  #controller = new AbortController();
  readonly #ended = new AbortController();
  /** The last state that can be gone on from; null for the beginning. */
  #kept: Uint8Array<ArrayBuffer> | null = null;
  #losses = 0;
  #recovery: Promise<void> | null = null;
  #course: Promise<void> | null = null;

  /**
   * Builds the model; nothing is trained yet.
   * @param checkpoint where to begin, of the same data and settings
   */
  static async create(
    gpu: Gpu,
    dataset: Dataset,
    settings: Partial<TrainSettings>,
    tell: (told: Told) => void,
    checkpoint?: { readonly bytes: Uint8Array<ArrayBuffer>; readonly name: string },
  ): Promise<Run> {
    const run = new Run(gpu, dataset, settings, tell);
    run.#trainer = await Trainer.create(gpu, dataset.split, settings, run.#options);
    if (checkpoint) {
      restoreCheckpoint(run.#trainer, checkpoint.bytes, checkpoint.name, dataset);
      run.#kept = checkpoint.bytes;
    }
    tell(startEvent(gpu, dataset, run.#trainer, { data: dataset.name, settings: {}, notes: [] }));
    for (const epoch of run.#trainer.history) tell(epoch);
    return run;
  }

  private constructor(gpu: Gpu, dataset: Dataset, settings: Partial<TrainSettings>, tell: (told: Told) => void) {
    this.#gpu = gpu;
    this.dataset = dataset;
    this.#settings = settings;
    this.#tell = tell;
    this.#trainer = null!; // create sets it before anybody sees the run
  }

  get trainer(): Trainer {
    return this.#trainer;
  }

  get training(): boolean {
    return this.#course !== null;
  }

  /** Trains on from where the run stands. */
  resume(): void {
    if (this.#course || this.#trainer.finished) return;
    this.#controller = new AbortController();
    this.#say('training');
    this.#course = this.#train()
      .catch((error: Error) => this.#tell({ event: 'failed', error: { name: error.name, message: error.message } }))
      .finally(() => {
        this.#course = null;
      });
  }

  /** Halts at the end of the steps in flight; nothing is lost. */
  async halt(as: 'paused' | 'stopped' = 'paused'): Promise<void> {
    this.#controller.abort();
    if (as === 'stopped') this.#ended.abort();
    await this.#course;
    this.#say(this.#trainer.finished ? 'finished' : as);
  }

  /** Ends the run and closes its device. */
  async close(): Promise<void> {
    this.#ended.abort();
    this.#controller.abort();
    await this.#course;
    this.#gpu.close();
  }

  /** Does something with the trainer between two steps, and then trains on if it did before. */
  async atRest<T>(body: (trainer: Trainer) => Promise<T>): Promise<T> {
    const before = this.training;
    if (before) {
      this.#controller.abort();
      await this.#course;
    }
    try {
      return await this.withModel(body);
    } finally {
      if (before) this.resume();
    }
  }

  /** Does something with the trainer; again where the device was lost meanwhile. */
  async withModel<T>(body: (trainer: Trainer) => Promise<T>): Promise<T> {
    const gpu = this.#gpu;
    try {
      return await body(this.#trainer);
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      await this.#recover(gpu, error);
      return await body(this.#trainer);
    }
  }

  checkpoint(): Promise<Uint8Array<ArrayBuffer>> {
    return this.atRest((trainer) => encodeCheckpoint(trainer, this.dataset));
  }

  /** Item-kNN's figures beside those of popularity and chance, where they are cheap. */
  async fitBaselines(): Promise<void> {
    const { split } = this.dataset;
    const cheap = split.train.items.length <= CHEAP.interactions && split.items <= CHEAP.items;
    const knn = FITTED_BASELINES.find(({ name }) => name === 'item-kNN')!;
    if (!cheap || !this.#trainer.evaluation) return;
    const { test, validation } = await knn.evaluate(this.#trainer, { signal: this.#ended.signal });
    this.#tell({ event: 'baseline', name: knn.name, figures: validation ?? test });
  }

  /** What the trainer reads anew whenever it goes on. */
  get #options(): TrainerOptions {
    const signal = () => this.#controller.signal;
    return {
      get signal() {
        return signal();
      },
      onProgress: (progress) => {
        const { settings } = this.#trainer;
        const figures = this.#eta.progress(progress, settings);
        this.#tell({ event: 'progress', ...progress, epochs: settings.epochs, ...figures });
      },
    };
  }

  async #train(): Promise<void> {
    for (;;) {
      const gpu = this.#gpu;
      try {
        await this.#epochs();
        return;
      } catch (error) {
        if (!(error instanceof DeviceLostError)) throw error;
        await this.#recover(gpu, error);
      }
    }
  }

  async #epochs(): Promise<void> {
    for await (const epoch of this.#trainer) {
      this.#tell(epoch);
      this.#eta.epoch(epoch);
      await this.#keep();
      this.#losses = 0;
    }
    await this.#keep();
    if (this.#trainer.finished) this.#say('finished');
  }

  async #keep(): Promise<void> {
    this.#kept = await encodeCheckpoint(this.#trainer, this.dataset);
  }

  /** Opens a device in place of the lost one, and builds the trainer there from the last kept state. */
  #recover(lost: Gpu, error: DeviceLostError): Promise<void> {
    if (lost !== this.#gpu) return Promise.resolve(); // somebody else has
    this.#recovery ??= this.#reopen(error).finally(() => {
      this.#recovery = null;
    });
    return this.#recovery;
  }

  async #reopen(error: DeviceLostError): Promise<void> {
    if (++this.#losses > MOST_LOSSES) throw error;
    this.#gpu.close();
    const gpu = await Gpu.open();
    const trainer = await Trainer.create(gpu, this.dataset.split, this.#settings, this.#options);
    if (this.#kept) restoreCheckpoint(trainer, this.#kept, 'the kept state', this.dataset);
    this.#gpu = gpu;
    this.#trainer = trainer;
    this.#tell({ event: 'recovered', message: error.message, step: trainer.step });
  }

  #say(state: RunState): void {
    this.#tell({ event: 'state', state });
  }
}
