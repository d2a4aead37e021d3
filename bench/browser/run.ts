import type { Dataset } from '../../src/data/dataset.ts';
import { NonFiniteError } from '../../src/errors.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import { FITTED_BASELINES } from '../../src/train/fitted-baselines.ts';
import { LastingRun } from '../../src/train/lasting-run.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import type { Trainer } from '../../src/train/trainer.ts';
import { describeNonFinite } from '../report/non-finite.ts';
import { Eta } from '../train/eta.ts';
import { startEvent } from '../train/start.ts';
import type { Failure, RunState, Told } from './protocol.ts';

/** Item-kNN is fitted beside the training where it takes a few seconds: up to so many training interactions and items. */
const CHEAP = { interactions: 2e6, items: 20_000 };

/** A model in training, which halts and goes on at any step. */
export class Run {
  readonly dataset: Dataset;
  readonly #tell: (told: Told) => void;
  readonly #eta = new Eta();
  #lasting: LastingRun;
  #controller = new AbortController();
  readonly #ended = new AbortController();
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
    const run = new Run(dataset, tell);
    const signal = () => run.#controller.signal;
    run.#lasting = await LastingRun.create(gpu, dataset, settings, {
      get signal() {
        return signal();
      },
      begin(trainer) {
        if (checkpoint) restoreCheckpoint(trainer, checkpoint.bytes, checkpoint.name, dataset);
      },
      onProgress(progress) {
        const { settings } = run.trainer;
        const figures = run.#eta.progress(progress, settings);
        tell({ event: 'progress', ...progress, epochs: settings.epochs, ...figures });
      },
      onRecovered: tell,
    });
    const { trainer } = run;
    tell(startEvent(trainer.gpu, dataset, trainer, { data: dataset.name, settings: {}, notes: [] }));
    for (const epoch of trainer.history) tell(epoch);
    return run;
  }

  private constructor(dataset: Dataset, tell: (told: Told) => void) {
    this.dataset = dataset;
    this.#tell = tell;
    this.#lasting = null!; // create sets it before anybody sees the run
  }

  get trainer(): Trainer {
    return this.#lasting.trainer;
  }

  get training(): boolean {
    return this.#course !== null;
  }

  /** Trains on from where the run stands. */
  resume(): void {
    if (this.#course || this.trainer.finished) return;
    this.#controller = new AbortController();
    this.#say('training');
    this.#course = this.#train()
      .catch((error: Error) => this.#tell({ event: 'failed', error: this.#failure(error) }))
      .finally(() => {
        this.#course = null;
      });
  }

  /** Halts at the end of the steps in flight; nothing is lost. */
  async halt(as: 'paused' | 'stopped' = 'paused'): Promise<void> {
    this.#controller.abort();
    if (as === 'stopped') this.#ended.abort();
    await this.#course;
    this.#say(this.trainer.finished ? 'finished' : as);
  }

  /** Ends the run and closes its device. */
  async close(): Promise<void> {
    this.#ended.abort();
    this.#controller.abort();
    await this.#course;
    this.#lasting.close();
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

  /** Does something with the trainer, again where the device is lost meanwhile. */
  withModel<T>(body: (trainer: Trainer) => Promise<T>): Promise<T> {
    return this.#lasting.withTrainer(body);
  }

  checkpoint(): Promise<Uint8Array<ArrayBuffer>> {
    return this.atRest((trainer) => encodeCheckpoint(trainer, this.dataset));
  }

  /** Item-kNN's figures beside those of popularity and chance, where they are cheap. */
  async fitBaselines(): Promise<void> {
    const { split } = this.dataset;
    const cheap = split.train.items.length <= CHEAP.interactions && split.items <= CHEAP.items;
    const knn = FITTED_BASELINES.find(({ name }) => name === 'item-kNN')!;
    if (!cheap || !this.trainer.evaluation) return;
    const { test, validation } = await knn.evaluate(this.trainer, { signal: this.#ended.signal });
    this.#tell({ event: 'baseline', name: knn.name, figures: validation ?? test });
  }

  async #train(): Promise<void> {
    for await (const epoch of this.#lasting) {
      this.#tell(epoch);
      this.#eta.epoch(epoch);
    }
    if (!this.trainer.finished) return;
    const { best, validation } = this.trainer;
    if (best && validation) this.#tell({ event: 'tested', best });
    this.#say('finished');
  }

  #failure(error: Error): Failure {
    if (!(error instanceof NonFiniteError)) return { name: error.name, message: error.message };
    const { brokenBy, step } = this.trainer;
    const left = brokenBy
      ? 'there was no good state yet'
      : `the model is again that of step ${step}, the last good state`;
    return { name: error.name, message: `${describeNonFinite(error, this.dataset)}; ${left}` };
  }

  #say(state: RunState): void {
    this.#tell({ event: 'state', state });
  }
}
