/** Small tables beside the interactions, read as a whole: items with their titles, lists of users. */
import { DataError } from '../errors.ts';
import { normalised } from './columns.ts';
import { checkWidth, isBlank, type Row, readRows } from './rows.ts';
import { type ByteSource, byteChunks, withLineFeeds } from './source.ts';

/** The one that ends the first cell is taken: genres behind it may hold another. */
const DELIMITERS = ['::', '\t', '|', ',', ';'];

/** Bytes. Tables of titles are small; a text of half a gigabyte is longer than strings can be. */
const LARGEST = 2 ** 28;

export interface Table {
  /** Without the header. */
  readonly rows: readonly Row[];
  /** The first row, when it holds one of the names that were asked for. */
  readonly header: readonly string[] | null;
}

/**
 * All rows of a delimited text, in UTF-8 or else in Latin-1 (Windows-1252), as MovieLens has it in u.item and movies.dat.
 * @param names that make the first row a header; compared in lower case and without `_`, `-` and spaces
 * Throws DataError for an empty file and for what cannot be read.
 */
export async function readTable(source: ByteSource, names: readonly string[]): Promise<Table> {
  const text = withLineFeeds(await readText(source));
  const delimiter = delimiterOf(text.trimStart().split('\n', 1)[0]!);
  const rows: Row[] = [];
  for await (const batch of readRows(source.name, whole(text), delimiter)) {
    for (const row of batch) if (!isBlank(row.cells)) rows.push(row);
  }
  if (rows.length === 0) throw new DataError(`${source.name}: the file is empty`);
  const first = rows[0]!.cells;
  for (const row of rows) checkWidth(source.name, row, first.length, delimiter);
  const header = first.some((cell) => names.includes(normalised(cell))) ? first : null;
  return { rows: header ? rows.slice(1) : rows, header };
}

/** The index of the first of the names that a header has. */
export function columnNamed(header: readonly string[], names: readonly string[]): number | undefined {
  const cells = header.map(normalised);
  return names.map((name) => cells.indexOf(name)).find((at) => at >= 0);
}

function delimiterOf(line: string): string {
  const ends = DELIMITERS.map((delimiter) => line.indexOf(delimiter));
  const first = Math.min(...ends.filter((end) => end >= 0));
  return DELIMITERS[ends.indexOf(first)] ?? ',';
}

async function readText(source: ByteSource): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of byteChunks(source)) {
    size += chunk.length;
    if (size > LARGEST) {
      throw new DataError(`${source.name}: over ${LARGEST / 2 ** 20} MiB; a table of titles or ids would be right`);
    }
    chunks.push(chunk);
  }
  const bytes = await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

async function* whole(text: string): AsyncGenerator<string> {
  yield text;
}
