/** Reads interactions from delimited text: MovieLens (`::` and u.data), CSV, TSV, with or without a header. */
import Papa from 'papaparse';
import { DataError } from '../errors.ts';
import { type Columns, findColumns, type Layout, ROLES } from './columns.ts';
import type { Ids } from './id-map.ts';
import { type Interactions, InteractionsBuilder } from './interactions.ts';
import { checkWidth, isBlank, type Row, readRows, shown } from './rows.ts';
import { type ByteSource, textChunks } from './source.ts';
import { parseTimestamp } from './timestamp.ts';

/** The delimiters that each format may have; the one that cuts the first line into most columns is taken. */
const DELIMITERS = {
  auto: ['::', '\t', ',', ';'],
  movielens: ['::', '\t', ','],
  csv: [',', ';'],
  tsv: ['\t'],
} as const;

export type DelimitedFormat = keyof typeof DELIMITERS;

export interface DelimitedOptions {
  /** Default auto: by the content of the first line. */
  readonly format?: DelimitedFormat | undefined;
  /** Default: by the names in the header, or by position; see `findColumns`. */
  readonly columns?: Columns | undefined;
  /** Ids that keep their indices; new ones are appended. */
  readonly knownIds?: Ids | null | undefined;
}

/** Characters at the start of the text from which delimiter and header are told: the first two rows must end in them. */
const HEAD = 1 << 16;

/** Throws DataError, with file and line, for whatever it cannot read. */
export async function readInteractions(source: ByteSource, options: DelimitedOptions = {}): Promise<Interactions> {
  const { format = 'auto', columns, knownIds } = options;
  const chunks = textChunks(source);
  try {
    const head = await readHead(chunks);
    const { delimiter, first, second } = firstRows(source.name, head, format);
    const layout = findColumns(source.name, first, second, columns);
    const shape = { ...layout, width: first.length, delimiter };
    const builder = new InteractionsBuilder(layout.timestamp !== null, knownIds);
    let atHeader = layout.header;
    for await (const rows of readRows(source.name, headThen(head, chunks), delimiter)) {
      for (const row of rows) {
        if (!atHeader) addRow(builder, source.name, row, shape);
        atHeader = false;
      }
    }
    if (builder.length === 0) throw new DataError(`${source.name}: only a header, no interactions`);
    return builder.build();
  } finally {
    await chunks.return(undefined); // closes the file when its first rows were refused
  }
}

/** All of the text, or its first HEAD characters and what came with them. */
async function readHead(chunks: AsyncGenerator<string>): Promise<{ readonly text: string; readonly isAll: boolean }> {
  let text = '';
  while (text.length < HEAD) {
    const { done, value } = await chunks.next();
    if (done) return { text, isAll: true };
    text += value;
  }
  return { text, isAll: false };
}

type Head = Awaited<ReturnType<typeof readHead>>;

function firstRows(name: string, { text: head, isAll }: Head, format: DelimitedFormat) {
  const text = head.replace(/^\s*\n/, '');
  if (isAll && text.trim() === '') throw new DataError(`${name}: the file is empty`);
  const long = new DataError(`${name}: its first two rows have more than ${HEAD} characters; is a quote left open?`);
  if (!isAll && !text.includes('\n')) throw long;
  const delimiter = bestDelimiter(text, DELIMITERS[format]);
  if (delimiter === null) {
    const delimiters = DELIMITERS[format].map((one) => JSON.stringify(one)).join(' or ');
    throw new DataError(`${name}: one column; fields are separated by ${delimiters}: ${shown(text.split('\n', 1)[0])}`);
  }
  const { data } = parsed(text, delimiter);
  const [first, second] = (isAll ? data : data.slice(0, -1)).filter((cells) => !isBlank(cells));
  if (!isAll && !second) throw long;
  if (format === 'movielens' && first.length !== 4) {
    const row = shown(first.join(delimiter));
    throw new DataError(`${name}: ${first.length} columns, but MovieLens has user, item, rating, timestamp: ${row}`);
  }
  return { delimiter, first, second };
}

/**
 * The one that cuts the first row into most columns, the first of equals; null where there is only one column. One by which
 * the quotes are wrong is taken only when they are by all of them.
 */
function bestDelimiter(text: string, delimiters: readonly string[]): string | null {
  const cuts = delimiters.map((delimiter) => ({ delimiter, ...parsed(text, delimiter, 1) }));
  const right = cuts.filter(({ errors }) => errors.length === 0);
  let best: string | null = null;
  let most = 1;
  for (const { delimiter, data } of right.length > 0 ? right : cuts) {
    if (data[0].length <= most) continue;
    best = delimiter;
    most = data[0].length;
  }
  return best;
}

/** @param preview rows, or 0 for all */
const parsed = (text: string, delimiter: string, preview = 0) =>
  Papa.parse<string[]>(text, { delimiter, newline: '\n', preview });

async function* headThen({ text }: Head, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield text;
  yield* rest;
}

/** How the rows of a file are to be read. */
interface RowShape extends Layout {
  readonly delimiter: string;
  /** Columns of the first row. */
  readonly width: number;
}

function addRow(builder: InteractionsBuilder, name: string, row: Row, { delimiter, width, ...layout }: RowShape) {
  const { cells, line } = row;
  checkWidth(name, row, width, delimiter);
  for (const role of ROLES) {
    const at = layout[role];
    if (at !== null && at >= cells.length) {
      const has = cells.length === 1 ? '1 column' : `${cells.length} columns`;
      const text = shown(cells.join(delimiter));
      throw new DataError(`${name}:${line}: ${has}, but the ${role} is column ${at + 1}: ${text}`);
    }
  }
  const user = cells[layout.user].trim();
  const item = cells[layout.item].trim();
  if (user === '' || item === '') {
    const missing = user === '' ? 'user' : 'item';
    throw new DataError(`${name}:${line}: the ${missing} id is empty: ${shown(cells.join(delimiter))}`);
  }
  const timestamp = layout.timestamp === null ? 0 : parseTimestamp(cells[layout.timestamp]);
  if (Number.isNaN(timestamp)) {
    const text = shown(cells[layout.timestamp!].trim());
    throw new DataError(`${name}:${line}: timestamp ${text} is neither a number nor an ISO date`);
  }
  builder.add(user, item, timestamp);
}
