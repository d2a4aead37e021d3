import type { Ids } from '../data/id-map.ts';
import type { Split } from '../data/split.ts';
import { DataError } from '../errors.ts';
import type { Gpu } from '../gpu/device.ts';
import { fuse } from '../models/fuse.ts';
import { decodeSafetensors, readOutline, type StoredTensor } from '../models/safetensors.ts';
import { loadWeights, readWeights } from '../models/weights.ts';
import { encodeCheckpoint, readable, restoreCheckpoint, storedSettings } from './checkpoint.ts';
import {
  BRANCHES,
  type BranchKind,
  branchSettings,
  fineTuning,
  type PretrainSettings,
  resolvePretraining,
} from './fine-tuning.ts';
import type { EpochEvent } from './history.ts';
import { resolveSettings, type TrainSettings } from './settings.ts';
import { withPrefix } from './state.ts';
import { storedHistory } from './stored-history.ts';
import { Trainer, type TrainerOptions } from './trainer.ts';

type Weights = ReadonlyMap<string, StoredTensor>;

/** What the checkpoint of a run with pre-training says beside what all checkpoints say. */
interface Stored {
  /** The run's: those of the fine-tuning, whatever was trained when the checkpoint was written. */
  readonly settings: TrainSettings;
  readonly pretrain: PretrainSettings;
  /** What was trained; null for NeuMF. */
  readonly branch: BranchKind | null;
  readonly history: readonly EpochEvent[];
}

const KEY = 'pretraining';
/** Before the names of GMF's tensors, in a checkpoint of the MLP's training. */
const GMF = 'pretrained.gmf.';

interface Branch {
  readonly kind: BranchKind;
  readonly trainer: Trainer;
}

/**
 * NeuMF from pre-trained branches (He et al. 2017, section 3.4.1): GMF is trained, then an MLP, each by Adam; NeuMF begins
 * as their fusion and is fine-tuned with an optimizer of its own. It is run as a trainer is, `for await (const epoch of
 * pretraining) …`, and yields the epochs of all three; those of the branches say `branch`.
 */
export class Pretraining {
  /** NeuMF's; it has its initial weights until the branches are fused. */
  readonly trainer: Trainer;
  readonly settings: PretrainSettings;
  readonly #options: TrainerOptions;
  /** The branches' epochs so far. */
  readonly history: EpochEvent[] = [];
  readonly #trained = new Map<BranchKind, Weights>();
  #branch: Branch | null = null;
  #beginning: Promise<Branch> | null = null;
  #fused = false;

  /**
   * Builds NeuMF as Trainer.create does.
   * @param settings of the fine-tuning: by plain gradient descent where they name no other optimizer
   */
  static async create(
    gpu: Gpu,
    split: Split,
    settings: Partial<TrainSettings> = {},
    pretrain: Partial<PretrainSettings> = {},
    options: TrainerOptions = {},
  ): Promise<Pretraining> {
    const whole = fineTuning(settings);
    const resolved = resolvePretraining(whole, pretrain);
    return new Pretraining(await Trainer.create(gpu, split, whole, options), resolved, options);
  }

  private constructor(trainer: Trainer, settings: PretrainSettings, options: TrainerOptions) {
    this.trainer = trainer;
    this.settings = settings;
    this.#options = options;
  }

  /** Trains the epochs that are left. Throws as Trainer does. */
  async *[Symbol.asyncIterator](): AsyncGenerator<EpochEvent, void> {
    for (let branch = await this.#begin(); branch; branch = await this.#begin()) {
      const { kind, trainer } = branch;
      for await (const epoch of trainer) {
        const event = { ...epoch, branch: kind };
        this.history.push(event);
        yield event;
      }
      if (trainer.stopped) return;
      this.#trained.set(kind, await readWeights(trainer.model));
      this.#branch = null;
      this.#beginning = null;
    }
    if (!this.#fused) this.#fuse();
    yield* this.trainer;
  }

  /** What is trained now: a branch, or NeuMF. */
  get present(): Branch | { readonly kind: null; readonly trainer: Trainer } {
    return this.#branch ?? { kind: null, trainer: this.trainer };
  }

  /** The branch that is trained now or next, built once; null when both are trained. */
  async #begin(): Promise<Branch | null> {
    const kind = BRANCHES.find((one) => !this.#trained.has(one));
    if (this.#fused || !kind) return null;
    this.#beginning ??= this.#newTrainer(kind).then((trainer) => ({ kind, trainer }));
    this.#branch = await this.#beginning;
    return this.#branch;
  }

  #newTrainer(kind: BranchKind): Promise<Trainer> {
    const { gpu, split, settings } = this.trainer;
    const options = this.#options;
    const { onProgress, onRecovered } = options;
    return Trainer.create(gpu, split, branchSettings(settings, this.settings, kind), {
      ...options,
      get signal() {
        return options.signal;
      },
      ...(onProgress && { onProgress: (progress) => onProgress({ ...progress, branch: kind }) }),
      ...(onRecovered && { onRecovered: (event) => onRecovered({ ...event, branch: kind }) }),
    });
  }

  #fuse(): void {
    const [gmf, mlp] = BRANCHES.map((kind) => ({ weights: this.#trained.get(kind)!, source: kind }));
    loadWeights(this.trainer.model, fuse(gmf!, mlp!, this.settings.alpha), 'the fused branches');
    this.#trained.clear();
    this.#fused = true;
  }

  /** As encodeCheckpoint: of the branch that is trained, with what was trained before it, or of NeuMF. */
  async encodeCheckpoint(ids: Ids): Promise<Uint8Array<ArrayBuffer>> {
    await this.#begin();
    const { trainer, settings: pretrain, history } = this;
    const { kind: branch, trainer: present } = this.present;
    const stored: Stored = { settings: trainer.settings, pretrain, branch, history };
    const before = [...(this.#trained.get('gmf') ?? [])].map(([name, tensor]) => [GMF + name, tensor] as const);
    return encodeCheckpoint(present, ids, {
      tensors: new Map(before),
      metadata: { [KEY]: JSON.stringify(stored) },
    });
  }

  /** As restoreCheckpoint, of a checkpoint that a run with pre-training wrote. */
  async restoreCheckpoint(bytes: Uint8Array<ArrayBuffer>, name: string, ids: Ids): Promise<void> {
    const stored = pretrainingInfo(bytes, name);
    if (!stored) throw new DataError(`${name}: it is of a run without pre-training; one with it would be right`);
    const trainer = stored.branch ? await this.#newTrainer(stored.branch) : this.trainer;
    restoreCheckpoint(trainer, bytes, name, ids);
    this.#branch = stored.branch && { kind: stored.branch, trainer };
    this.#beginning = this.#branch && Promise.resolve(this.#branch);
    this.#fused = stored.branch === null;
    this.history.splice(0, this.history.length, ...stored.history);
    this.#trained.clear();
    if (stored.branch !== 'mlp') return;
    this.#trained.set('gmf', withPrefix(GMF, decodeSafetensors(bytes, name).tensors));
  }
}

/** What a checkpoint says of pre-training; null for a run without it. Throws DataError when it cannot be read. */
export function pretrainingInfo(bytes: Uint8Array<ArrayBuffer>, name: string): Stored | null {
  const text = readOutline(bytes, name).metadata[KEY];
  if (text === undefined) return null;
  return readable(name, () => {
    const { settings: stored, pretrain, branch, history } = JSON.parse(text);
    const settings = storedSettings(stored);
    if (branch !== null && !BRANCHES.includes(branch)) throw new Error('its branch is none');
    const { epochs, alpha } = pretrain;
    return {
      settings,
      pretrain: resolvePretraining(resolveSettings(settings), { epochs, alpha }),
      branch,
      history: storedHistory(history, settings),
    };
  });
}
