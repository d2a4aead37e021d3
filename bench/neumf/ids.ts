/** Ids on the command line and in files. */
import Papa from 'papaparse';
import { KNOWN_NAMES } from '../../src/data/columns.ts';
import { columnNamed, readTable } from '../../src/data/table.ts';
import { DataError } from '../../src/errors.ts';
import { fileSource } from '../../src/platform/node-files.ts';

/** How --help says what idList takes. */
export const ID_LIST = 'between commas or blanks; an id with a comma in quotation marks';

/** Parses an option's value, which may be given several times: ids between commas. */
export function idList(text: string, before: readonly string[] | undefined): string[] {
  const [cells = []] = Papa.parse<string[]>(text, { delimiter: ',' }).data;
  return [...(before ?? []), ...cells.map((id) => id.trim()).filter((id) => id !== '')];
}

/** The users of a file: of a column with a known name, else of the first one. Throws DataError for a row without one. */
export async function readUsers(path: string): Promise<string[]> {
  const { rows, header } = await readTable(fileSource(path), KNOWN_NAMES.user);
  const at = (header && columnNamed(header, KNOWN_NAMES.user)) ?? 0;
  return rows.map(({ cells, line }) => {
    const id = cells[at]?.trim();
    if (id) return id;
    throw new DataError(`${path}:${line}: the user id is empty`);
  });
}
