/** The files of the NCF paper: a split that is given, with dense ids and the negatives of every test item. */
import { DataError } from '../errors.ts';
import { Growing } from './growing.ts';
import type { IdMap, Ids } from './id-map.ts';
import { firstOfEachPair, type Pairs, pick } from './interactions.ts';
import { type Row, readRows } from './rows.ts';
import { type ByteSource, textChunks } from './source.ts';
import { type ItemLists, itemsPerUser, type Split } from './split.ts';

export interface NcfFiles {
  /** What stands before `.train.rating`, without folders. */
  readonly name: string;
  /** Rows of user, item or of user, item, rating, timestamp, separated by tabs. */
  readonly train: ByteSource;
  /** The same, one row a tested user. */
  readonly test: ByteSource;
  /** A row for each of `test`: `(user,item)`, then negatives, separated by tabs. */
  readonly negative: ByteSource;
}

const NCF_NAME = /^(.+)\.(train\.rating|test\.rating|test\.negative)(?:\.gz)?$/;

/** The prefix that the files of one set share (folders included), or null when this is not the name of such a file. */
export function ncfPrefix(name: string): string | null {
  return NCF_NAME.exec(name)?.[1] ?? null;
}

/** The three files among `sources`; null when none is there, DataError when some are missing or there are two sets. */
export function findNcfFiles(sources: readonly ByteSource[]): NcfFiles | null {
  const prefixes = [...new Set(sources.map(({ name }) => ncfPrefix(name)).filter((prefix) => prefix !== null))];
  if (prefixes.length === 0) return null;
  if (prefixes.length > 1) {
    throw new DataError(`NCF files of ${prefixes.length} sets: give one of the prefixes ${prefixes.join(', ')}`);
  }
  const file = (role: string) => {
    const found = sources.find(({ name }) => NCF_NAME.exec(name)?.[2] === role);
    if (!found) throw new DataError(`${prefixes[0]}.${role}: no such file, and none with .gz`);
    return found;
  };
  const name = prefixes[0].split(/[/\\]/).at(-1)!;
  return { name, train: file('train.rating'), test: file('test.rating'), negative: file('test.negative') };
}

/**
 * Takes the split as it is. A test item among its own negatives is dropped from them, so these lists are ragged; pairs
 * that stand twice in the training file are joined and counted in `duplicates`.
 * @param knownIds numbers as well; those that the files lack have no interactions
 */
export async function readNcf(
  files: NcfFiles,
  knownIds: Ids | null = null,
): Promise<{ split: Split; interactions: number; duplicates: number }> {
  const listed = await readPairs(files.train);
  const test = await readPairs(files.test);
  const negatives = await readNegatives(files, test);
  const users = countIds('user', [listed.users, test.users], files, knownIds?.userIds);
  const items = countIds('item', [listed.items, test.items, negatives.items], files, knownIds?.itemIds);
  const kept = firstOfEachPair(listed, null, users, items);
  const distinct = { users: pick(listed.users, kept), items: pick(listed.items, kept) };
  const train = itemsPerUser(distinct, users);
  const unseen = test.users.filter((user, row) => {
    return !train.items.subarray(train.offsets[user], train.offsets[user + 1]).includes(test.items[row]);
  });
  return {
    split: { users, items, train, validation: null, test, negatives, untested: users - new Set(test.users).size },
    interactions: distinct.users.length + unseen.length,
    duplicates: listed.users.length - distinct.users.length,
  };
}

async function readPairs(source: ByteSource): Promise<Pairs> {
  const users = new Growing(Uint32Array);
  const items = new Growing(Uint32Array);
  for await (const rows of readRows(source.name, textChunks(source), '\t')) {
    for (const row of rows) {
      if (row.cells.length !== 2 && row.cells.length !== 4) {
        const right = 'an NCF row is user, item or user, item, rating, timestamp, separated by tabs';
        throw new DataError(`${source.name}:${row.line}: ${row.cells.length} columns; ${right}`);
      }
      users.push(denseId(source, row, 0, 'user'));
      items.push(denseId(source, row, 1, 'item'));
    }
  }
  if (users.length === 0) throw new DataError(`${source.name}: the file is empty`);
  return { users: users.toArray(), items: items.toArray() };
}

async function readNegatives({ test: testFile, negative }: NcfFiles, test: Pairs): Promise<ItemLists> {
  const offsets = new Uint32Array(test.users.length + 1);
  const items = new Growing(Uint32Array);
  let index = 0;
  for await (const rows of readRows(negative.name, textChunks(negative), '\t')) {
    for (const row of rows) {
      if (index === test.users.length) {
        throw new DataError(`${negative.name}:${row.line}: a row too many; ${testFile.name} has ${index}`);
      }
      const pair = `(${test.users[index]},${test.items[index]})`;
      if (row.cells[0].replaceAll(' ', '') !== pair) {
        const right = `row ${index + 1} of ${testFile.name} is ${pair}`;
        throw new DataError(`${negative.name}:${row.line}: the row is for "${row.cells[0]}", but ${right}`);
      }
      for (let at = 1; at < row.cells.length; at++) {
        const item = denseId(negative, row, at, 'item');
        if (item !== test.items[index]) items.push(item);
      }
      offsets[++index] = items.length;
    }
  }
  if (index < test.users.length) {
    throw new DataError(`${negative.name}: ${index} rows, but ${testFile.name} has ${test.users.length}`);
  }
  return { offsets, items: items.toArray() };
}

function denseId(source: ByteSource, { cells, line }: Row, at: number, kind: string): number {
  const id = /^\s*\d+\s*$/.test(cells[at]) ? Number(cells[at]) : Number.NaN;
  if (id < 2 ** 32) return id;
  throw new DataError(`${source.name}:${line}: ${kind} "${cells[at]}" is not a whole number from 0 on`);
}

/** Dense ids that are not known yet occur at least once each; a larger id would only make tables of rows that nobody has. */
function countIds(kind: string, columns: Uint32Array[], { train }: NcfFiles, known?: IdMap): number {
  if (known?.ids) {
    throw new DataError(
      `${train.name}: NCF files number ${kind}s, and "${known.idOf(0)}" is known, an id of other data; that data would be right`,
    );
  }
  const count = known?.size ?? 0;
  let largest = Math.max(0, count - 1);
  for (const column of columns) for (const id of column) if (id > largest) largest = id;
  const occurrences = columns.reduce((sum, column) => sum + column.length, count);
  if (largest < occurrences) return largest + 1;
  throw new DataError(`${train.name}: ${kind} ids go up to ${largest}; NCF files number ${kind}s from 0 without gaps`);
}
