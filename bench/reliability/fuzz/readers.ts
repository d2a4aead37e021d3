/** Files of interactions and titles, right ones and broken ones. */
import { gzipSync } from 'node:zlib';
import { loadDataset } from '../../../src/data/dataset.ts';
import { readInteractions } from '../../../src/data/delimited.ts';
import { readTitles } from '../../../src/data/titles.ts';
import type { Draws } from './draws.ts';
import { mutated } from './mutate.ts';
import { judge, type Outcome } from './outcome.ts';
import { type Interaction, plainInteractions } from './plain-interactions.ts';
import { plainNcf } from './plain-ncf.ts';
import { plainTitles } from './plain-titles.ts';
import { chunked, drawId, encoded, writeInteractions } from './text-files.ts';

/** How often a file is left as it was written. */
const LEGAL = 0.3;
/** A gzip bomb takes as long as a thousand other files. */
const BOMBS = 1 / 5000;

export function fuzzReaders(draws: Draws): Promise<Outcome> {
  if (draws.chance(BOMBS)) return fuzzBomb(draws);
  const kind = draws.below(10);
  return kind < 6 ? fuzzInteractions(draws) : kind < 8 ? fuzzNcf(draws) : fuzzTitles(draws);
}

function fuzzInteractions(draws: Draws): Promise<Outcome> {
  const { bytes: right, options, rows } = writeInteractions(draws);
  const isLegal = draws.chance(LEGAL);
  const bytes = isLegal ? right : mutated(draws, right);
  const read = async () => {
    const { users, items, timestamps, userIds, itemIds } = await readInteractions(
      chunked(draws, 'file', bytes),
      options,
    );
    return Array.from(users, (user, row): Interaction => {
      return [userIds.idOf(user), itemIds.idOf(items[row]!), timestamps?.[row] ?? null];
    });
  };
  const expected = isLegal ? plainOf(rows) : plainInteractions(bytes, options);
  return judge({ file: bytes }, read, expected, isLegal);
}

/** What a right file says without those pairs that stand twice. */
function plainOf(rows: readonly Interaction[]): Interaction[] {
  return rows.filter(([user, item, time], at) =>
    rows.every(([otherUser, otherItem, other], i) => {
      if (i === at || user !== otherUser || item !== otherItem) return true;
      return time === null || other === time ? i > at : time < other!;
    }),
  );
}

function fuzzNcf(draws: Draws): Promise<Outcome> {
  const users = draws.between(1, 4);
  const items = draws.between(2, 6);
  const end = draws.pick(['\n', '\r\n', '\r']);
  const more = draws.chance(0.5) ? '\t5\t1' : '';
  const train = draws.list(users * items, (i) => `${Math.floor(i / items)}\t${i % items}${more}`);
  const tested = draws.list(users, (user) => [user, draws.below(items)] as const);
  const lines = {
    'x.train.rating': train,
    'x.test.rating': tested.map(([user, item]) => `${user}\t${item}${more}`),
    'x.test.negative': tested.map(([user, item]) => {
      return [`(${user},${item})`, ...draws.list(draws.below(4), () => draws.below(items))].join('\t');
    }),
  };
  const isLegal = draws.chance(LEGAL);
  const broken = draws.pick(Object.keys(lines));
  const files = Object.fromEntries(
    Object.entries(lines).map(([name, rows]) => {
      const bytes = encoded(draws, rows.join(end) + end);
      return [name, isLegal || name !== broken ? bytes : mutated(draws, bytes)];
    }),
  );
  const read = async () => {
    const sources = Object.entries(files).map(([name, bytes]) => chunked(draws, name, bytes));
    const { split } = await loadDataset(sources);
    const list = ({ offsets, items: all }: typeof split.train, i: number) => [
      ...all.subarray(offsets[i], offsets[i + 1]),
    ];
    return {
      users: split.users,
      items: split.items,
      train: Array.from({ length: split.users }, (_, user) => list(split.train, user)),
      test: Array.from(split.test.users, (user, row) => [user, split.test.items[row]!, ...list(split.negatives!, row)]),
    };
  };
  return judge(files, read, plainNcf(files), isLegal);
}

function fuzzTitles(draws: Draws): Promise<Outcome> {
  const delimiter = draws.pick([',', ';', '\t', '|', '::']);
  const quoted = (cell: string) => {
    const must = delimiter !== '::' && (cell.includes(delimiter) || /^"|\n/.test(cell));
    return must ? `"${cell.replaceAll('"', '""')}"` : cell;
  };
  const awkward = delimiter === '::' ? [' '] : [' ', '"', '\n', ...(delimiter === ':' ? [] : [',', ';', '|'])];
  const header = draws.chance(0.5)
    ? [draws.pick(['item', 'movieId', 'id', 'sku']), draws.pick(['title', 'Name', 'label'])]
    : null;
  // Without a header the first id must not hold what would end the first cell of another format.
  const titles = draws.list(draws.between(1, 6), (i): [string, string] => [
    `k${i}${drawId(draws, [])}`.replaceAll(/[,;|]/g, ''),
    drawId(draws, awkward),
  ]);
  const rows = [...(header ? [header] : []), ...titles].map((row) => row.map(quoted).join(delimiter));
  const isLegal = draws.chance(LEGAL);
  const right = encoded(draws, rows.join(draws.pick(['\n', '\r\n', '\r'])));
  const bytes = isLegal ? right : mutated(draws, right);
  const read = async () => [...(await readTitles(chunked(draws, 'titles', bytes)))];
  return judge({ titles: bytes }, read, isLegal ? titles : plainTitles(bytes), isLegal);
}

/** Some 24 kB that would become 24 MiB: refused before it is all in memory. */
function fuzzBomb(draws: Draws): Promise<Outcome> {
  const bytes = gzipSync(Buffer.alloc(24 * 2 ** 20, draws.pick(['\n', 'u,i\n', 'u,i,1,\n', '"', ' ', '1'])));
  const source = chunked(draws, 'bomb', bytes);
  return judge<unknown>(
    { bomb: bytes },
    () => (draws.chance(0.5) ? readTitles(source) : readInteractions(source)),
    null,
    false,
  );
}
