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

/** Batches of rows, blank lines left out. Cells may be quoted as in RFC 4180; lines end in LF or CRLF. */
export async function* readRows(name: string, chunks: AsyncIterable<string>, delimiter: string): AsyncGenerator<Row[]> {
  const parser = new Papa.Parser({ delimiter, newline: '\n' });
  let text = ''; // begins where the first unfinished row does
  let line = 1;

  function parse(final: boolean): Row[] {
    const { data, errors, meta } = parser.parse(text, 0, !final) as Papa.ParseResult<string[]>;
    const quoted = text.includes('"');
    text = text.slice(meta.cursor);
    const rows: Row[] = [];
    for (let i = 0; i < data.length; i++) {
      const cells = data[i];
      // Errors of the row after the last one only say that the rest of it is still to come.
      if (errors.some((error) => error.row === i)) {
        throw new DataError(`${name}:${line}: a quoted field is not closed, or text follows its closing quote`);
      }
      const last = cells.length - 1;
      if (cells[last].endsWith('\r')) cells[last] = cells[last].slice(0, -1);
      if (!isBlank(cells)) rows.push({ cells, line });
      line++;
      if (quoted) for (const cell of cells) line += cell.split('\n').length - 1;
    }
    return rows;
  }

  for await (const chunk of chunks) {
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
