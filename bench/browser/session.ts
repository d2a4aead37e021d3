import { type Dataset, loadDataset } from '../../src/data/dataset.ts';
import type { IdMap, Ids } from '../../src/data/id-map.ts';
import { byPopularity } from '../../src/data/item-lists.ts';
import { readTitles } from '../../src/data/titles.ts';
import { ConfigError } from '../../src/errors.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { profile, type Timing } from '../../src/gpu/profiler.ts';
import { blobSource } from '../../src/platform/browser-files.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import type { Neighbour } from '../../src/recommend/types.ts';
import { checkpointInfo, encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import { resolveSettings, splitOptions, type TrainSettings } from '../../src/train/settings.ts';
import type { Trainer } from '../../src/train/trainer.ts';
import { recommendationsCsv } from './csv.ts';
import { lookInside } from './inside.ts';
import type {
  AdapterFacts,
  DataFacts,
  Engine,
  Inside,
  Named,
  NewcomerAnswer,
  Told,
  UserAnswer,
  Vectors,
} from './protocol.ts';
import { Run } from './run.ts';

/** Ids that are offered for what was typed. */
const MOST_FOUND = 12;
/** Items on the map: more take UMAP a minute. */
const MOST_MAPPED = 2000;

/** What the worker knows: the data, the run on it, and whom to ask. */
export class Session implements Engine {
  readonly #tell: (told: Told) => void;
  #files: readonly File[] = [];
  #dataset: Dataset | null = null;
  #titles: ReadonlyMap<string, string> = new Map();
  #run: Run | null = null;
  /** A checkpoint's model, where no data is loaded to train it on. */
  #opened: Recommender | null = null;
  #recommender: { readonly trainer: Trainer; readonly of: Recommender } | null = null;

  constructor(tell: (told: Told) => void) {
    this.#tell = tell;
  }

  async open(): Promise<AdapterFacts> {
    const gpu = await Gpu.open();
    gpu.close();
    return { name: gpu.adapterName, kind: gpu.adapterKind, hint: gpu.hint };
  }

  async load(files: readonly File[]): Promise<DataFacts> {
    const dataset = await loadDataset(sourcesOf(files));
    await this.#forget();
    this.#files = files;
    this.#dataset = dataset;
    this.#titles = new Map();
    return this.#facts(dataset);
  }

  async titles(file: File): Promise<DataFacts> {
    const dataset = this.#data();
    this.#titles = await readTitles(blobSource(file, file.name));
    this.#recommender = null;
    return this.#facts(dataset);
  }

  async start(settings: Partial<TrainSettings>): Promise<void> {
    const dataset = await this.#split(this.#data(), splitOptions(resolveSettings(settings)));
    await this.#forget();
    this.#dataset = dataset;
    await this.#begin(async (gpu) => Run.create(gpu, dataset, settings, this.#tell));
    this.#run!.resume();
    this.#fitBaselines();
  }

  async pause(): Promise<void> {
    await this.#run?.halt();
  }

  async resume(): Promise<void> {
    this.#run?.resume();
  }

  async stop(): Promise<void> {
    await this.#run?.halt('stopped');
  }

  async save(): Promise<Blob> {
    return new Blob([await this.#running().checkpoint()]);
  }

  async restore(file: File): Promise<{ canTrain: boolean }> {
    const [bytes, name] = [new Uint8Array(await file.arrayBuffer()), file.name];
    const info = checkpointInfo(bytes, name);
    const { settings } = info;
    if (!this.#dataset) {
      await this.#forget();
      this.#opened = Recommender.open(await Gpu.open(), bytes, { name, names: this.#titles });
      return { canTrain: false };
    }
    // Rows stand for the checkpoint's ids, and its validation items are held out.
    const options = { ...splitOptions(resolveSettings(settings)), knownIds: info };
    const dataset = await loadDataset(sourcesOf(this.#files), options);
    await this.#forget();
    this.#dataset = dataset;
    await this.#begin(async (gpu) => Run.create(gpu, dataset, settings, this.#tell, { bytes, name }));
    await this.#run!.halt();
    this.#fitBaselines();
    return { canTrain: true };
  }

  async find(kind: 'user' | 'item', text: string): Promise<Named[]> {
    const { userIds, itemIds } = this.#ids();
    const ids = kind === 'user' ? userIds : itemIds;
    const wanted = text.toLowerCase();
    const named = (id: string) => (kind === 'user' ? { id } : this.#named(id));
    const found: Named[] = ids.indexOf(text) === undefined ? [] : [named(text)];
    for (let index = 0; index < ids.size && found.length < MOST_FOUND; index++) {
      const one = named(ids.idOf(index));
      if (one.id !== text && `${one.id}\n${one.name ?? ''}`.toLowerCase().includes(wanted)) found.push(one);
    }
    return found;
  }

  async anyUser(): Promise<string> {
    const { userIds } = this.#ids();
    return userIds.idOf(Math.floor(Math.random() * userIds.size));
  }

  recommend(user: string): Promise<UserAnswer> {
    return this.#ask(async (recommender) => {
      const includeSeen = this.#opened !== null;
      const recommendations = await recommender.recommend(user, { includeSeen });
      return { history: this.#history(user), recommendations };
    });
  }

  similar(item: string): Promise<readonly Neighbour[]> {
    return this.#ask((recommender) => recommender.similarItems(item));
  }

  newcomer(items: readonly string[]): Promise<NewcomerAnswer> {
    return this.#ask((recommender) => recommender.foldIn(items));
  }

  csv(): Promise<Blob> {
    return this.#ask((recommender) => recommendationsCsv(recommender, this.#opened !== null));
  }

  inside(user: string, item: string): Promise<Inside> {
    return this.#ask((recommender) => lookInside(recommender, user, item));
  }

  kernels(): Promise<readonly Timing[]> {
    const run = this.#running();
    return run.atRest(async (trainer) => {
      const before = await encodeCheckpoint(trainer, run.dataset);
      try {
        return await profile(trainer.plan);
      } finally {
        restoreCheckpoint(trainer, before, 'the state before', run.dataset); // the replays train
      }
    });
  }

  vectors(): Promise<Vectors> {
    return this.#ask(async (recommender) => {
      const { dim, values } = await recommender.vectors('items');
      const { itemIds } = recommender.ids;
      const { popularity } = recommender;
      const all = popularity ? byPopularity(popularity) : Array.from({ length: itemIds.size }, (_, item) => item);
      const chosen = Array.from(all.slice(0, MOST_MAPPED));
      const rows = new Float32Array(chosen.length * dim);
      chosen.forEach((item, i) => {
        rows.set(values.subarray(item * dim, (item + 1) * dim), i * dim);
      });
      return { items: chosen.map((item) => this.#named(itemIds.idOf(item))), dim, values: rows };
    });
  }

  /** Gives a new device to what begins with one; closes it where that fails. */
  async #begin(create: (gpu: Gpu) => Promise<Run>): Promise<void> {
    const gpu = await Gpu.open();
    try {
      this.#run = await create(gpu);
    } catch (error) {
      gpu.close();
      throw error;
    }
  }

  /** Ends what was trained before and frees its memory. */
  async #forget(): Promise<void> {
    await this.#run?.close();
    this.#opened?.gpu.close();
    this.#run = null;
    this.#opened = null;
    this.#recommender = null;
  }

  #fitBaselines(): void {
    // A run that ends stops them.
    this.#run!.fitBaselines().catch(() => {});
  }

  #ask<T>(body: (recommender: Recommender) => Promise<T>): Promise<T> {
    if (this.#opened) return body(this.#opened);
    const run = this.#running();
    return run.withModel((trainer) => body(this.#recommenderOf(trainer, run.dataset)));
  }

  #recommenderOf(trainer: Trainer, dataset: Dataset): Recommender {
    if (this.#recommender?.trainer !== trainer) {
      this.#recommender = { trainer, of: Recommender.of(trainer, dataset, { names: this.#titles }) };
    }
    return this.#recommender.of;
  }

  /** What a user of the data has taken, held out last; null without data. */
  #history(user: string): UserAnswer['history'] {
    if (!this.#dataset) return null;
    const { split, userIds, itemIds } = this.#dataset;
    const index = userIds.indexOf(user)!; // the model knows the user, and it has the data's ids
    const { offsets, items } = split.train;
    const trained = Array.from(items.subarray(offsets[index], offsets[index + 1]));
    const heldOut = [split.validation, split.test].flatMap((pairs) => {
      const row = pairs ? pairs.users.indexOf(index) : -1;
      return row < 0 ? [] : [pairs!.items[row]!];
    });
    const shown = (item: number, held: boolean) => ({ ...this.#named(itemIds.idOf(item)), heldOut: held });
    return [...trained.map((item) => shown(item, false)), ...heldOut.map((item) => shown(item, true))];
  }

  #named(id: string): Named {
    const name = this.#titles.get(id);
    return name === undefined ? { id } : { id, name };
  }

  #ids(): Ids {
    const ids: { userIds: IdMap; itemIds: IdMap } | null = this.#opened?.ids ?? this.#dataset;
    if (ids) return ids;
    throw new ConfigError('no data yet: a file, the bundled set or a checkpoint would be right');
  }

  /** The data, with validation items held out or not. */
  async #split(dataset: Dataset, options: ReturnType<typeof splitOptions>): Promise<Dataset> {
    // Items that are drawn, as the data has no times, are those of one seed.
    if (!options.validation && !dataset.split.validation) return dataset;
    return loadDataset(sourcesOf(this.#files), { ...options, knownIds: dataset });
  }

  #data(): Dataset {
    if (this.#dataset) return this.#dataset;
    throw new ConfigError('no data yet: a file or the bundled set would be right');
  }

  #running(): Run {
    if (this.#run) return this.#run;
    throw new ConfigError('no model yet: starting a training, or loading data and then a checkpoint, would be right');
  }

  #facts({ name, split, interactions, itemIds }: Dataset): DataFacts {
    const titles = Array.from({ length: itemIds.size }, (_, item) => this.#titles.has(itemIds.idOf(item)));
    return {
      name,
      users: split.users,
      items: split.items,
      interactions,
      testedUsers: split.test.users.length,
      titles: titles.filter(Boolean).length,
    };
  }
}

/** Several files are the parts of one data set, such as the NCF paper's three. */
function sourcesOf(files: readonly File[]) {
  const sources = files.map((file) => blobSource(file, file.name));
  return sources.length === 1 ? sources[0]! : sources;
}
