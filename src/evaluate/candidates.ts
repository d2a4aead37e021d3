import type { Split } from '../data/split.ts';
import { DataError } from '../errors.ts';
import { NO_CANDIDATE } from '../kernels/rank.ts';
import { below, pcg4d, STREAM } from '../random.ts';

/** What each tested user's held-out item is ranked among. */
export interface Candidates {
  /** [tested] */
  readonly users: Uint32Array<ArrayBuffer>;
  /** [tested × width], the held-out item first; NO_CANDIDATE where a user has fewer. */
  readonly items: Uint32Array<ArrayBuffer>;
  readonly width: number;
  /** The protocol's name, to stand beside every figure. */
  readonly protocol: string;
}

/**
 * The candidates of the NCF protocol: the held-out item and the negatives that came with the data, or `count` different
 * ones drawn uniformly among the items that the user never interacted with (all of them where there are fewer).
 * Throws DataError when no user has a held-out item.
 */
export function candidates(split: Split, seed: number, count = 99): Candidates {
  const { test, negatives, validation } = split;
  const tested = test.users.length;
  if (tested === 0) {
    throw new DataError('no user has two interactions, so there is no test item to rank; eval none would be right');
  }
  const validationItems = new Map<number, number>();
  validation?.users.forEach((user, i) => {
    validationItems.set(user, validation.items[i]!);
  });
  const lists = negatives
    ? (row: number) => negatives.items.subarray(negatives.offsets[row], negatives.offsets[row + 1])
    : (row: number) => drawNegatives(split, row, validationItems.get(test.users[row]!), seed, count);
  let most = 0;
  const rows: ArrayLike<number>[] = [];
  for (let row = 0; row < tested; row++) {
    rows.push(lists(row));
    most = Math.max(most, rows[row]!.length);
  }
  const width = 1 + most;
  const items = new Uint32Array(tested * width).fill(NO_CANDIDATE);
  rows.forEach((list, row) => {
    items[row * width] = test.items[row]!;
    items.set(list, row * width + 1);
  });
  const source = negatives ? 'negatives of the data set' : 'sampled negatives';
  return {
    users: Uint32Array.from(test.users),
    items,
    width,
    protocol: `leave-one-out, ${most} ${source}, ties against the model`,
  };
}

function drawNegatives(
  { items, train, test }: Split,
  row: number,
  validationItem: number | undefined,
  seed: number,
  count: number,
): number[] {
  const user = test.users[row]!;
  const known = new Set(train.items.subarray(train.offsets[user], train.offsets[user + 1]));
  known.add(test.items[row]!);
  if (validationItem !== undefined) known.add(validationItem);
  const free = items - known.size;
  if (free <= count) return [...Array(items).keys()].filter((item) => !known.has(item));
  const words = new Uint32Array(4);
  const drawn: number[] = [];
  for (let draw = 0; drawn.length < count; draw++) {
    const item = below(pcg4d(words, seed, STREAM.evaluation, user, draw)[0]!, items);
    if (known.has(item)) continue;
    known.add(item);
    drawn.push(item);
  }
  return drawn;
}
