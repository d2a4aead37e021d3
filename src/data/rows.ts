/** The rows of a delimited text, streamed, each with its true line in the file. */
import Papa from 'papaparse';
import { DataError } from '../errors.ts';

export interface Row {
  readonly cells: string[];
  /** 1 for the first line of the file; of a row with quoted line breaks, its first line. */
  readonly line: number;
}

/** Characters. A row of this length is a quotation mark that nobody closed; the limit keeps it from eating the file. */
const LONGEST_ROW = 1 << 22;

/**
 * Batches of rows, blank lines left out. Cells may be quoted as in RFC 4180.
 * @param chunks lines end in LF, as textChunks gives them
 * Throws DataError for a quote that nobody closed, and for a NUL, which no text has.
 */
export async function* readRows(name: string, chunks: AsyncIterable<string>, delimiter: string): AsyncGenerator<Row[]> {
  const parser = new Papa.Parser({ delimiter, newline: '\n' });
  let text = ''; // begins where the first unfinished row does
  let line = 1;

  function parse(final: boolean): Row[] {
    const { data, errors, meta } = parser.parse(text, 0, !final) as Papa.ParseResult<string[]>;
    const quoted = text.includes('"');
    const broken = new Set(errors.map(({ row }) => row));
    text = text.slice(meta.cursor);
    const rows: Row[] = [];
    for (let i = 0; i < data.length; i++) {
      const cells = data[i];
      // Errors of the row after the last one only say that the rest of it is still to come.
      if (broken.has(i)) {
        throw new DataError(`${name}:${line}: a quoted field is not closed, or text follows its closing quote`);
      }
      if (!isBlank(cells)) rows.push({ cells, line });
      line++;
      if (quoted) for (const cell of cells) line += cell.split('\n').length - 1;
    }
    return rows;
  }

  for await (const chunk of chunks) {
    const nul = chunk.indexOf('\0');
    if (nul >= 0) {
      const at = line + (text + chunk.slice(0, nul)).split('\n').length - 1;
      throw new DataError(`${name}:${at}: a NUL character, so this is no text in UTF-8; save it as UTF-8`);
    }
    text += chunk;
    yield parse(false);
    if (text.length > LONGEST_ROW) {
      throw new DataError(`${name}:${line}: no end of this row in ${LONGEST_ROW} characters; is a quote left open?`);
    }
  }
  yield parse(true);
}

/** A line with nothing but white space on it. */
export function isBlank(cells: string[]): boolean {
  return cells.length === 1 && cells[0].trim() === '';
}

/**
 * Throws DataError for a row with more cells than the first one has, be they not empty: somewhere in it a delimiter stands
 * in a cell that is not quoted, so that nobody knows which cell is which. Rows may end early, as spreadsheets write them.
 */
export function checkWidth(name: string, { cells, line }: Row, width: number, delimiter: string): void {
  if (cells.length <= width || cells.slice(width).every((cell) => cell.trim() === '')) return;
  const text = shown(cells.join(delimiter));
  throw new DataError(`${name}:${line}: ${cells.length} columns, but the first row has ${width}: ${text}`);
}

/** Quoted as it stands in the file, on one line and cut to a length that a message can bear. */
export function shown(text: string): string {
  const line = text.trimEnd();
  return `"${line.length > 80 ? `${line.slice(0, 80)}…` : line}"`;
}
