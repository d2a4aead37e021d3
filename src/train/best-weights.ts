import type { Model } from '../models/model.ts';
import type { StoredTensor } from '../models/safetensors.ts';
import { loadWeights, readWeights, savedParameters } from '../models/weights.ts';

/** A model's tensors under PyTorch's names. */
export type Weights = ReadonlyMap<string, StoredTensor>;

/**
 * The weights of the best epoch beside those of the last step. The model has one of them, the last step's while it is
 * trained and the best at the end; the other is kept here, on the CPU, once.
 */
export class BestWeights {
  readonly #model: Model;
  #kept: Weights | null = null;
  #taken = false;

  constructor(model: Model) {
    this.#model = model;
  }

  /** Keeps a copy of the model's present weights as the best so far. */
  async keep(): Promise<void> {
    this.#kept = await readWeights(this.#model);
  }

  /** Gives the model the best weights, where any were kept. */
  async take(): Promise<void> {
    if (!this.#kept || this.#taken) return;
    const last = await readWeights(this.#model);
    loadWeights(this.#model, this.#kept, 'the best epoch');
    this.#kept = last;
    this.#taken = true;
  }

  /** The weights to use, and those to train on from where they are others. */
  async both(): Promise<{ readonly best: Weights; readonly last: Weights | null }> {
    const present = await readWeights(this.#model);
    if (!this.#kept) return { best: present, last: null };
    return this.#taken ? { best: present, last: this.#kept } : { best: this.#kept, last: present };
  }

  /** Puts the model where it is trained on from, with the best weights kept. Both may have other tensors besides. */
  restore(best: Weights, last: Weights | null): void {
    loadWeights(this.#model, last ?? best, 'the last step');
    this.#kept =
      last && new Map(savedParameters(this.#model.parameters.specs).map(({ name }) => [name, best.get(name)!]));
    this.#taken = false;
  }
}
