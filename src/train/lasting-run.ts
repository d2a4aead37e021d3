import type { Dataset } from '../data/dataset.ts';
import { DeviceLostError, GpuError, NonFiniteError } from '../errors.ts';
import type { Gpu } from '../gpu/device.ts';
import { encodeCheckpoint, restoreCheckpoint } from './checkpoint.ts';
import type { PretrainSettings } from './fine-tuning.ts';
import type { EpochEvent, RecoveredEvent } from './history.ts';
import { Pretraining } from './pretrain.ts';
import type { TrainSettings } from './settings.ts';
import { Trainer, type TrainerOptions } from './trainer.ts';

export interface LastingRunOptions extends Omit<TrainerOptions, 'interlude'> {
  /** Of the pre-training that comes first; none where left out. */
  readonly pretrain?: Partial<PretrainSettings> | null;
  /** Gives a new trainer what it begins with; also after a loss, as long as nothing was kept. */
  readonly begin?: (trainer: Trainer, pretraining: Pretraining | null) => void | Promise<void>;
  /**
   * Seconds after which a state within an epoch is kept. By default 60, and more where keeping would otherwise take more
   * than 1 % of the time: a large model's state is read back and copied as a whole.
   */
  readonly keepSeconds?: number;
  /** Is given every state that is kept: a checkpoint. */
  readonly onKept?: (checkpoint: Uint8Array<ArrayBuffer>) => void;
  /** Is told that another device was opened, or that the run has gone back as Trainer does. */
  readonly onRecovered?: (event: RecoveredEvent) => void;
}

/** What lives and dies with a device. */
interface Built {
  readonly gpu: Gpu;
  readonly trainer: Trainer;
  readonly pretraining: Pretraining | null;
}

const KEEP_SECONDS = 60;
const KEEP_SHARE = 0.01;
/** Before each attempt to replace a lost device: at once, and then when a driver may have come back. */
const WAITS_MS = [0, 1000, 5000];

/**
 * A training run that outlives its device. It is run as a trainer is, `for await (const epoch of run) …`, keeps its state in
 * CPU memory after every epoch and now and then within one, and when the device is lost it opens another one and goes on
 * from there, to the bits of a run that lost nothing: three attempts in a row without progress, then DeviceLostError.
 * A borrowed device is not replaced: its loss is thrown to whoever owns it. When NonFiniteError is thrown, the model is put
 * back to the last state that was kept, so that it can be used and saved.
 */
export class LastingRun {
  readonly dataset: Dataset;
  readonly #settings: Partial<TrainSettings>;
  readonly #options: LastingRunOptions;
  #built: Built;
  /** The last state that can be gone on from; null for the beginning. */
  #kept: Uint8Array<ArrayBuffer> | null = null;
  /** When a state within an epoch is to be kept. */
  #keepAt = 0;
  /** Whether training has come to its end. */
  #ended = false;
  #attempts = 0;
  #goingBack: Promise<void> | null = null;

  /**
   * Builds the model; nothing is trained yet. Throws as Trainer.create does.
   * @param gpu is the run's from now on: it may close it and open another one
   */
  static async create(
    gpu: Gpu,
    dataset: Dataset,
    settings: Partial<TrainSettings> = {},
    options: LastingRunOptions = {},
  ): Promise<LastingRun> {
    const run = new LastingRun(dataset, settings, options);
    try {
      run.#built = await run.#build(gpu);
    } catch (error) {
      await run.#replace(gpu, await lossBehind(gpu, error));
    }
    return run;
  }

  private constructor(dataset: Dataset, settings: Partial<TrainSettings>, options: LastingRunOptions) {
    this.dataset = dataset;
    this.#settings = settings;
    this.#options = options;
    this.#built = null!; // create sets it before anybody sees the run
  }

  /** The present one; another after a loss. */
  get gpu(): Gpu {
    return this.#built.gpu;
  }

  /** The present one, NeuMF's in pre-training; another after a loss, with the history of the state that was kept. */
  get trainer(): Trainer {
    return this.#built.trainer;
  }

  get pretraining(): Pretraining | null {
    return this.#built.pretraining;
  }

  /** Trains the epochs that are left, or until the signal. Throws as Trainer does. */
  async *[Symbol.asyncIterator](): AsyncGenerator<EpochEvent, void> {
    for (;;) {
      const built = this.#built;
      try {
        yield* this.#epochs(built);
        return;
      } catch (error) {
        await this.#goBack(built, error);
      }
    }
  }

  /** Does something with the trainer, and from its beginning again where the device is lost meanwhile. */
  async withTrainer<T>(body: (trainer: Trainer) => Promise<T>): Promise<T> {
    for (;;) {
      const built = this.#built;
      try {
        const result = await body(built.trainer);
        this.#attempts = 0;
        return result;
      } catch (error) {
        await this.#goBack(built, error);
      }
    }
  }

  /** Closes the device that the run has now. */
  close(): void {
    this.gpu.close();
  }

  async *#epochs(built: Built): AsyncGenerator<EpochEvent, void> {
    const { trainer, pretraining } = built;
    this.#keepLater(0);
    for await (const epoch of pretraining ?? trainer) {
      await this.#keep(built);
      yield epoch;
    }
    if (!trainer.finished || !this.#kept) await this.#keep(built);
    this.#ended = trainer.finished;
  }

  async #keep({ trainer, pretraining }: Built): Promise<void> {
    const start = performance.now();
    this.#kept = await (pretraining?.encodeCheckpoint(this.dataset) ?? encodeCheckpoint(trainer, this.dataset));
    this.#attempts = 0;
    this.#keepLater(performance.now() - start);
    this.#options.onKept?.(this.#kept);
  }

  /** @param cost milliseconds that keeping takes */
  #keepLater(cost: number): void {
    const { keepSeconds } = this.#options;
    const wait = keepSeconds === undefined ? Math.max(1000 * KEEP_SECONDS, cost / KEEP_SHARE) : 1000 * keepSeconds;
    this.#keepAt = performance.now() + wait;
  }

  /** Makes good what went wrong with what was built, or throws the error. */
  async #goBack(built: Built, error: unknown): Promise<void> {
    if (built !== this.#built) return; // somebody else has
    if (error instanceof NonFiniteError) {
      await this.#restore(built);
      throw error;
    }
    const loss = await lossBehind(built.gpu, error);
    if (built !== this.#built) return;
    this.#goingBack ??= this.#replace(built.gpu, loss).finally(() => {
      this.#goingBack = null;
    });
    await this.#goingBack;
  }

  /** Opens a device in place of a lost one, and builds there what was kept. */
  async #replace(gpu: Gpu, loss: DeviceLostError): Promise<void> {
    gpu.close();
    let last: GpuError = loss;
    while (this.#attempts < WAITS_MS.length) {
      const wait = WAITS_MS[this.#attempts++];
      await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        this.#built = await this.#build(await gpu.reopen());
      } catch (failure) {
        if (!(failure instanceof GpuError)) throw failure;
        last = failure;
        continue;
      }
      this.#tell('device lost', loss);
      return;
    }
    this.#attempts = 0; // whoever tries again has three more
    const tried = `${WAITS_MS.length} attempts to go on with another failed, the last with: ${last.message}`;
    throw new DeviceLostError(`${loss.message}; ${tried}`, { cause: last });
  }

  #tell(reason: RecoveredEvent['reason'], { message }: Error): void {
    const { trainer, pretraining } = this.#built;
    const { kind, trainer: present } = pretraining?.present ?? { kind: null, trainer };
    const { step } = present;
    this.#options.onRecovered?.({ event: 'recovered', reason, message, step, ...(kind && { branch: kind }) });
  }

  /** Builds the trainer and puts it where the kept state is, or at the beginning. Closes the device where that fails. */
  async #build(gpu: Gpu): Promise<Built> {
    const { dataset } = this;
    const { pretrain, begin } = this.#options;
    const options = this.#trainerOptions(() => built);
    let built: Built;
    try {
      const { split } = dataset;
      const pretraining = pretrain ? await Pretraining.create(gpu, split, this.#settings, pretrain, options) : null;
      const trainer = pretraining?.trainer ?? (await Trainer.create(gpu, split, this.#settings, options));
      built = { gpu, trainer, pretraining };
      if (this.#kept) await this.#restore(built);
      else await begin?.(trainer, pretraining);
      if (this.#ended) for await (const _ of trainer); // takes the best epoch's weights, and tests them
      return built;
    } catch (error) {
      const cause = error instanceof GpuError ? await gpu.causeOf(error) : error;
      gpu.close();
      throw cause;
    }
  }

  /** Puts what was built where the kept state is, if there is one. */
  async #restore({ trainer, pretraining }: Built): Promise<void> {
    if (!this.#kept) return;
    if (pretraining) await pretraining.restoreCheckpoint(this.#kept, 'the kept state', this.dataset);
    else restoreCheckpoint(trainer, this.#kept, 'the kept state', this.dataset);
  }

  #trainerOptions(built: () => Built): TrainerOptions {
    const options = this.#options;
    return {
      ...options,
      get signal() {
        return options.signal;
      },
      onRecovered: (event) => {
        this.#keepAt = 0; // what was kept is of the course that went wrong
        options.onRecovered?.(event);
      },
      interlude: {
        due: () => performance.now() >= this.#keepAt,
        hold: () => this.#keep(built()),
      },
    };
  }
}

/** Throws what is no loss of the device, and the loss of one that is borrowed. */
async function lossBehind(gpu: Gpu, error: unknown): Promise<DeviceLostError> {
  const cause = error instanceof GpuError ? await gpu.causeOf(error) : error;
  if (cause instanceof DeviceLostError && !gpu.borrowed) return cause;
  throw cause;
}
