import type { Clock } from '../autograd/clock.ts';
import { tapeOf, tensor, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { popularity, type Split } from '../data/split.ts';
import { ConfigError, DataError } from '../errors.ts';
import type { Gpu } from '../gpu/device.ts';
import { checkBindable } from '../gpu/limits.ts';
import { hardest } from '../kernels/hardest.ts';
import { sampleBatch } from '../kernels/sample-batch.ts';
import { sampleWeights } from '../kernels/sample-weights.ts';
import type { Forward } from '../models/model.ts';
import { aliasTable } from './alias.ts';
import { inversePropensities } from './propensity.ts';
import type { TrainSettings } from './settings.ts';
import type { Batch } from './step.ts';

/** The generator's words are indexed by u32, and the shuffle's domain may be four times the samples. */
const MOST_SAMPLES = 2 ** 30;

type SamplerSettings = Pick<
  TrainSettings,
  'batchSize' | 'negatives' | 'sampler' | 'samplerPower' | 'hardCandidates' | 'ipsPower' | 'ipsClip' | 'seed'
>;

/**
 * Draws batches on the device: every epoch visits each positive once and `negatives` drawn items beside it, in another
 * order. It keeps the training interactions as two lists and an offset a user; nothing of an epoch's size.
 */
export class BatchSampler {
  /** Samples of an epoch: positives and negatives. */
  readonly samples: number;
  /** Batches of an epoch, a shorter last one included. */
  readonly batches: number;
  /** Samples at the end of an epoch that are not trained on: none, or one. */
  readonly leftOut: number;
  readonly #gpu: Gpu;
  readonly #settings: SamplerSettings;
  readonly #positives: number;
  readonly #items: number;
  readonly #tables: Record<'positiveUsers' | 'offsets' | 'positiveItems' | 'alias', Tensor>;
  /** f32[items]: how much a positive counts in the loss; null when all samples count alike. */
  readonly #itemWeights: Tensor | null;

  /**
   * @param batchNorm whether the model normalises by batch: a last batch of one sample is then left out of every epoch,
   *   because it has no variance
   * Throws DataError for data without training items or without negatives, ConfigError for more than fits.
   */
  constructor(gpu: Gpu, split: Split, settings: SamplerSettings, batchNorm = false) {
    const { offsets, items } = split.train;
    const { batchSize, negatives, sampler, samplerPower, ipsPower, ipsClip } = settings;
    this.#gpu = gpu;
    this.#settings = settings;
    this.#positives = items.length;
    this.#items = split.items;
    this.samples = items.length * (1 + negatives);
    this.leftOut = batchNorm && this.samples % batchSize === 1 ? 1 : 0;
    this.batches = Math.ceil((this.samples - this.leftOut) / batchSize);
    if (items.length === 0) throw new DataError('no training interactions are left after holding out the test items');
    if (this.samples > MOST_SAMPLES) {
      throw new ConfigError(
        `an epoch would have ${this.samples} samples; at most ${MOST_SAMPLES} can be shuffled: fewer negatives would be right`,
      );
    }
    checkBindable(gpu, `the list of ${items.length} training interactions`, 4 * items.length);
    const users = new Uint32Array(items.length);
    for (let user = 0; user < split.users; user++) {
      const [start, end] = [offsets[user]!, offsets[user + 1]!];
      users.fill(user, start, end);
      if (negatives > 0 && end - start >= split.items) {
        throw new DataError(
          `user number ${user} has interacted with all ${split.items} items: there is no negative to draw`,
        );
      }
    }
    const alias = sampler === 'popularity' ? aliasTable(popularity(split), samplerPower) : new Uint32Array(2);
    this.#tables = {
      positiveUsers: tensor(gpu, users, { label: 'positive users' }),
      offsets: tensor(gpu, offsets as Uint32Array<ArrayBuffer>, { label: 'user offsets' }),
      positiveItems: tensor(gpu, items as Uint32Array<ArrayBuffer>, { label: 'positive items' }),
      alias: tensor(gpu, alias, { label: 'alias table' }),
    };
    this.#itemWeights = ipsPower
      ? tensor(gpu, inversePropensities(popularity(split), ipsPower, ipsClip), { label: 'item weights' })
      : null;
  }

  /** Rows of a batch of an epoch, 0 for the first. */
  rows(batch: number): number {
    return Math.min(this.#settings.batchSize, this.samples - batch * this.#settings.batchSize);
  }

  /** Samples of an epoch that are trained on before a batch of it. */
  samplesBefore(batch: number): number {
    return Math.min(batch * this.#settings.batchSize, this.samples - this.leftOut);
  }

  /**
   * Appends the drawing of the batch that the clock points at.
   * @param rows as `rows` gives for that batch
   * @param score makes negatives hard: each is the one of `hardCandidates` draws that it gives the highest logit, the
   *   first of which is what is drawn without it
   */
  draw(clock: Clock, rows: number, score?: Forward): Batch {
    const drawn = this.#draw(clock, rows, score ? this.#settings.hardCandidates : 1);
    const batch = score ? this.#hardest(drawn, score) : drawn;
    return this.#itemWeights ? { ...batch, weights: this.#weigh(batch, this.#itemWeights) } : batch;
  }

  /** Appends a drawing with so many candidates for each negative: users and items u32[rows · candidates]. */
  #draw(clock: Clock, rows: number, candidates: number): Batch {
    const gpu = this.#gpu;
    const { batchSize, negatives, seed, sampler } = this.#settings;
    const batch = {
      users: zeros(gpu, [rows * candidates], { dtype: 'u32', label: 'batch users' }),
      items: zeros(gpu, [rows * candidates], { dtype: 'u32', label: 'batch items' }),
      labels: zeros(gpu, [rows], { label: 'batch labels' }),
    };
    const size = {
      rows,
      candidates,
      batchSize,
      batches: this.batches,
      positives: this.#positives,
      negatives,
      items: this.#items,
      seed,
    };
    const tensors = { ...this.#tables, ...batch, step: clock.step };
    const views = Object.fromEntries(Object.entries(tensors).map(([name, { view }]) => [name, view]));
    sampleBatch(
      tapeOf(gpu).plan,
      views as Record<keyof typeof tensors, GPUBufferBinding>,
      size,
      sampler === 'popularity',
    );
    return batch;
  }

  /** Appends the choice among candidates. */
  #hardest({ users, items, labels }: Batch, score: Forward): Batch {
    const rows = labels.size;
    const chosen = {
      users: zeros(this.#gpu, [rows], { dtype: 'u32', label: 'batch users' }),
      items: zeros(this.#gpu, [rows], { dtype: 'u32', label: 'batch items' }),
    };
    const pairs = { pairUsers: users.view, pairItems: items.view, logits: score(users, items).view };
    const views = { ...pairs, users: chosen.users.view, items: chosen.items.view };
    hardest(tapeOf(this.#gpu).plan, views, { rows, candidates: users.size / rows });
    return { ...chosen, labels };
  }

  /** Appends the weighing of a batch: positives by their items. */
  #weigh({ items, labels }: Batch, itemWeights: Tensor): Tensor {
    const rows = items.size;
    const weights = zeros(this.#gpu, [rows], { label: 'batch weights' });
    const views = { items: items.view, labels: labels.view, itemWeights: itemWeights.view, weights: weights.view };
    sampleWeights(tapeOf(this.#gpu).plan, views, rows);
    return weights;
  }
}
