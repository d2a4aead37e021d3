/** What all contenders are given: the same sizes, ids, labels and initial weights, in files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pairs } from '../../../src/data/interactions.ts';
import type { ItemLists, Split } from '../../../src/data/split.ts';
import { PRESETS } from '../../../src/models/config.ts';
import { initialValues } from '../../../src/models/initial.ts';
import { parameterSpecs } from '../../../src/models/layout.ts';
import { encodeSafetensors, type StoredTensor } from '../../../src/models/safetensors.ts';
import { pcg4d } from '../../../src/random.ts';
import type { Task } from '../protocol.ts';

/** MovieLens-1M's. */
export const SIZES = { users: 6040, items: 3706 };
const SEED = 42;
const STREAM = 0xba7c4;

export function taskOf(preset: string, batchSize: number, { users, items } = SIZES): Task {
  const { sampler: _sampler, schedule: _schedule, ...settings } = PRESETS[preset]!;
  return { ...settings, preset, users, items, batchSize };
}

/** A folder for the files, removed by `close`. */
export class Workload {
  readonly #folder = mkdtempSync(join(tmpdir(), 'neumf-peers-'));

  /** Initial weights, as neumf-webgpu draws them. */
  weights(task: Task): string {
    const specs = parameterSpecs({ ...task, model: 'neumf' });
    const tensors = specs.map(
      (spec, i) => [spec.name, { shape: spec.shape, data: initialValues(spec, i, SEED) }] as const,
    );
    return this.#write(`weights-${task.preset}-${task.users}-${task.items}`, new Map(tensors));
  }

  /**
   * Weights as after training: embeddings of 50 times the initial size, so that scores differ by more than rounding, and
   * biases, scales and running averages that are not 0 and 1.
   */
  trainedWeights(task: Task): string {
    const specs = parameterSpecs({ ...task, model: 'neumf' });
    const words = new Uint32Array(4);
    const tensors = specs.map((spec, i) => {
      const scale = spec.name.includes('_emb.') ? 50 : 1;
      const spread = spec.shape.length === 1 ? 0.25 : 0;
      const data = initialValues(spec, i, SEED).map((value, at) => {
        pcg4d(words, SEED, STREAM, 1 + i, at);
        return scale * value + spread * (words[0]! / 2 ** 31 - 1);
      });
      return [spec.name, { shape: spec.shape, data }] as const;
    });
    return this.#write(`trained-${task.preset}-${task.users}-${task.items}`, new Map(tensors));
  }

  /**
   * One batch: users drawn alike, items ⌊u³ · items⌋ so that a few stand in it many times, as popular ones do, and one
   * positive in 1 + negatives.
   */
  batch({ batchSize, users, items, negatives }: Task): string {
    const columns = {
      users: new Uint32Array(batchSize),
      items: new Uint32Array(batchSize),
      labels: new Float32Array(batchSize),
    };
    const words = new Uint32Array(4);
    for (let row = 0; row < batchSize; row++) {
      pcg4d(words, SEED, STREAM, 0, row);
      const [u, v, w] = Array.from(words, (word) => word / 2 ** 32) as [number, number, number];
      columns.users[row] = Math.floor(u * users);
      columns.items[row] = Math.floor(v ** 3 * items);
      columns.labels[row] = w * (1 + negatives) < 1 ? 1 : 0;
    }
    return this.#write(`batch-${batchSize}`, vectors(columns));
  }

  /** The training interactions, or an even share of them. @param share above 0, up to 1 */
  interactions({ train, test }: Split, share: number): string {
    const { offsets, items } = evenShare(train, share);
    const columns = { offsets, items, testUsers: test.users, testItems: test.items };
    return this.#write('interactions', vectors(columns as Record<string, StoredTensor['data']>));
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #write(name: string, tensors: ReadonlyMap<string, StoredTensor>): string {
    const path = join(this.#folder, `${name}.safetensors`);
    writeFileSync(path, encodeSafetensors({ tensors, metadata: {} }));
    return path;
  }
}

/** Every (1 / share)-th interaction: interaction i stays when ⌊(i + 1) · share⌋ > ⌊i · share⌋. */
export function evenShare({ offsets, items }: ItemLists, share: number): ItemLists {
  const before = (i: number) => Math.floor(i * share);
  return {
    offsets: offsets.map(before),
    items: items.filter((_, i) => before(i + 1) > before(i)),
  };
}

/** `count` of the tested users, or all where there are fewer, chosen as evenShare does. */
export function evenUsers({ users, items }: Pairs, count = users.length): Pairs {
  const before = (i: number) => Math.floor((i * Math.min(count, users.length)) / users.length);
  const isTaken = (_: number, i: number) => before(i + 1) > before(i);
  return { users: users.filter(isTaken), items: items.filter(isTaken) };
}

function vectors(columns: Readonly<Record<string, StoredTensor['data']>>): Map<string, StoredTensor> {
  return new Map(Object.entries(columns).map(([name, data]) => [name, { shape: [data.length], data }]));
}
