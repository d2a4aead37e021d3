/** Who took what, and when: the form that every reader gives. */
import { groupRows } from './group.ts';
import { Growing } from './growing.ts';
import { type IdMap, type Ids, StringIds } from './id-map.ts';

/** Pairs of dense indices, one a row. */
export interface Pairs {
  readonly users: Uint32Array;
  readonly items: Uint32Array;
}

/** Distinct (user, item) pairs in the order of the file. */
export interface Interactions extends Pairs {
  /** As in the file (ISO dates: seconds); null when it has none, and then the order of the rows is the time. */
  readonly timestamps: Float64Array | null;
  readonly userIds: IdMap;
  readonly itemIds: IdMap;
  /** Rows left out because an earlier one has the same user and item. */
  readonly duplicates: number;
}

/** Collects rows; holds three numbers a row and one string a distinct id. */
export class InteractionsBuilder {
  readonly #userIds: StringIds;
  readonly #itemIds: StringIds;
  readonly #users = new Growing(Uint32Array);
  readonly #items = new Growing(Uint32Array);
  readonly #timestamps: Growing<Float64Array> | null;

  /** @param knownIds keep their indices; ids that are new get the next ones */
  constructor(hasTimestamps: boolean, knownIds: Ids | null = null) {
    this.#userIds = knownIds ? StringIds.from(knownIds.userIds) : new StringIds();
    this.#itemIds = knownIds ? StringIds.from(knownIds.itemIds) : new StringIds();
    this.#timestamps = hasTimestamps ? new Growing(Float64Array) : null;
  }

  get length(): number {
    return this.#users.length;
  }

  add(user: string, item: string, timestamp: number): void {
    this.#users.push(this.#userIds.add(user));
    this.#items.push(this.#itemIds.add(item));
    this.#timestamps?.push(timestamp);
  }

  build(): Interactions {
    const [users, items] = [this.#users.toArray(), this.#items.toArray()];
    const timestamps = this.#timestamps?.toArray() ?? null;
    const kept = firstOfEachPair({ users, items }, timestamps, this.#userIds.size, this.#itemIds.size);
    return {
      users: pick(users, kept),
      items: pick(items, kept),
      timestamps: timestamps && pick(timestamps, kept),
      userIds: this.#userIds,
      itemIds: this.#itemIds,
      duplicates: users.length - kept.length,
    };
  }
}

/**
 * The rows to keep, ascending, when of each (user, item) only the earliest by (timestamp, then file order) stays.
 * Memory: two numbers a row and two an item.
 */
export function firstOfEachPair(
  { users, items }: Pairs,
  timestamps: Float64Array | null,
  userCount: number,
  itemCount: number,
): Uint32Array {
  const { offsets, rows } = groupRows(users, userCount);
  const dropped = new Uint8Array(users.length);
  const owner = new Uint32Array(itemCount); // 1 + the user whose row of this item is in `earliest`
  const earliest = new Uint32Array(itemCount);
  let droppedCount = 0;
  for (let user = 0; user < userCount; user++) {
    for (let at = offsets[user]; at < offsets[user + 1]; at++) {
      const row = rows[at];
      const item = items[row];
      const rival = earliest[item];
      if (owner[item] !== user + 1) {
        owner[item] = user + 1;
        earliest[item] = row;
        continue;
      }
      const isEarlier = timestamps !== null && timestamps[row] < timestamps[rival];
      if (isEarlier) earliest[item] = row;
      dropped[isEarlier ? rival : row] = 1;
      droppedCount++;
    }
  }
  const kept = new Uint32Array(users.length - droppedCount);
  for (let row = 0, next = 0; row < users.length; row++) if (!dropped[row]) kept[next++] = row;
  return kept;
}

/** The values at the given rows, of which there are at most as many as values. */
export function pick<A extends Uint32Array | Float64Array>(values: A, rows: Uint32Array): A {
  const picked = values.slice(0, rows.length) as A;
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i]];
  return picked;
}
