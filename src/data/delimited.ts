/** Reads interactions from delimited text: MovieLens (`::` and u.data), CSV, TSV, with or without a header. */
import Papa from 'papaparse';
import { DataError } from '../errors.ts';
import { type Columns, findColumns, type Layout, ROLES } from './columns.ts';
import type { Ids } from './id-map.ts';
import { type Interactions, InteractionsBuilder } from './interactions.ts';
import { isBlank, type Row, readRows } from './rows.ts';
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

/** Characters at the start of the text from which delimiter and header are told. */
const HEAD = 1 << 16;

/** Throws DataError, with file and line, for whatever it cannot read. */
export async function readInteractions(source: ByteSource, options: DelimitedOptions = {}): Promise<Interactions> {
  const { format = 'auto', columns, knownIds } = options;
  const chunks = textChunks(source);
  try {
    const head = await readHead(chunks);
    const { delimiter, first, second } = firstRows(source.name, head.slice(0, HEAD), format);
    const layout = findColumns(source.name, first, second, columns);
    const builder = new InteractionsBuilder(layout.timestamp !== null, knownIds);
    let atHeader = layout.header;
    for await (const rows of readRows(source.name, headThen(head, chunks), delimiter)) {
      for (const row of rows) {
        if (!atHeader) addRow(builder, source.name, row, layout, delimiter);
        atHeader = false;
      }
    }
    if (builder.length === 0) throw new DataError(`${source.name}: only a header, no interactions`);
    return builder.build();
  } finally {
    await chunks.return(undefined); // closes the file when its first rows were refused
  }
}

async function readHead(chunks: AsyncGenerator<string>): Promise<string> {
  let head = '';
  while (head.length < HEAD) {
    const { done, value } = await chunks.next();
    if (done) break;
    head += value;
  }
  return head;
}

function firstRows(name: string, head: string, format: DelimitedFormat) {
  const text = head.replace(/^\s*\n/, '');
  if (text.trim() === '') throw new DataError(`${name}: the file is empty`);
  const line = text.split('\n', 1)[0];
  const { meta, errors } = Papa.parse(line, { delimitersToGuess: [...DELIMITERS[format]], newline: '\n' });
  if (errors.some((error) => error.code === 'UndetectableDelimiter')) {
    const delimiters = DELIMITERS[format].map((one) => JSON.stringify(one)).join(' or ');
    throw new DataError(`${name}: one column; fields are separated by ${delimiters}: ${shown(line)}`);
  }
  const { delimiter } = meta;
  const rows = Papa.parse<string[]>(text, { delimiter, newline: '\n', preview: 10 }).data; // some may be blank
  const [first, second] = rows.filter((cells) => !isBlank(cells));
  if (format === 'movielens' && first.length !== 4) {
    const row = shown(first.join(delimiter));
    throw new DataError(`${name}: ${first.length} columns, but MovieLens has user, item, rating, timestamp: ${row}`);
  }
  return { delimiter, first, second };
}

async function* headThen(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

function addRow(builder: InteractionsBuilder, name: string, { cells, line }: Row, layout: Layout, delimiter: string) {
  for (const role of ROLES) {
    const at = layout[role];
    if (at !== null && at >= cells.length) {
      const has = cells.length === 1 ? '1 column' : `${cells.length} columns`;
      const row = shown(cells.join(delimiter));
      throw new DataError(`${name}:${line}: ${has}, but the ${role} is column ${at + 1}: ${row}`);
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

/** Quoted as it stands in the file, on one line and cut to a length that a message can bear. */
function shown(text: string): string {
  const line = text.trimEnd().replace(/\r?\n/g, '\\n');
  return `"${line.length > 80 ? `${line.slice(0, 80)}…` : line}"`;
}
