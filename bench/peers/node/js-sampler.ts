import type { Task } from '../protocol.ts';
import { type Columns, numbers, readTensors } from './files.ts';

/**
 * An epoch's samples on the CPU, in typed arrays: for libraries that cannot draw and reject on the device. Negatives are
 * rejected against a byte for every user and item.
 */
export class JsSampler {
  readonly #task: Task;
  readonly #users: Int32Array;
  readonly #items: Uint32Array;
  readonly #taken: Uint8Array;

  constructor(task: Task, interactions: string) {
    const file = readTensors(interactions);
    const offsets = numbers(file, 'offsets', 'U32');
    this.#task = task;
    this.#items = numbers(file, 'items', 'U32');
    this.#users = new Int32Array(this.#items.length);
    this.#taken = new Uint8Array(task.users * task.items);
    for (let user = 0; user < task.users; user++) {
      this.#users.fill(user, offsets[user]!, offsets[user + 1]!);
      for (let at = offsets[user]!; at < offsets[user + 1]!; at++)
        this.#taken[user * task.items + this.#items[at]!] = 1;
    }
  }

  /** Every positive and its negatives, shuffled (Fisher and Yates), batch by batch; the last one may be shorter. */
  *epoch(): Generator<Columns> {
    const { items: itemCount, negatives, batchSize, batchNorm } = this.#task;
    const positives = this.#items.length;
    const samples = positives * (1 + negatives);
    const order = Uint32Array.from({ length: samples }, (_, i) => i);
    for (let i = samples - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      const other = order[j]!;
      order[j] = order[i]!;
      order[i] = other;
    }
    for (let start = 0; start < samples; start += batchSize) {
      const rows = Math.min(batchSize, samples - start);
      if (rows === 1 && batchNorm) return; // one sample has no variance
      const columns = { users: new Int32Array(rows), items: new Int32Array(rows), labels: new Float32Array(rows) };
      for (let row = 0; row < rows; row++) {
        const sample = order[start + row]!;
        const user = this.#users[sample % positives]!;
        columns.users[row] = user;
        columns.labels[row] = sample < positives ? 1 : 0;
        let item = this.#items[sample % positives]!;
        if (sample >= positives) {
          do item = Math.floor(Math.random() * itemCount);
          while (this.#taken[user * itemCount + item]);
        }
        columns.items[row] = item;
      }
      yield columns;
    }
  }
}
