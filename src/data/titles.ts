import { DataError } from '../errors.ts';
import { KNOWN_NAMES } from './columns.ts';
import type { ByteSource } from './source.ts';

/** Names that a header may use, best first. */
const IDS = [...KNOWN_NAMES.item, 'id', 'code', 'stockcode', 'sku'];
const TITLES = ['title', 'name', 'itemname', 'movietitle', 'productname', 'description', 'label'];

/**
 * Items' titles by their ids, from MovieLens' movies.csv, movies.dat or u.item, an items.tsv, or any delimited text with a
 * header that names an id and a title. Without a header the first two columns are taken. Of an id that stands twice, the
 * first title counts. Throws DataError, with file and line, for what it cannot read.
 */
export async function readTitles(source: ByteSource): Promise<Map<string, string>> {
  const { columnNamed, readTable } = await import('./readers.ts');
  const { rows, header } = await readTable(source, [...IDS, ...TITLES]);
  const [id, title] = header ? [columnNamed(header, IDS), columnNamed(header, TITLES)] : [0, 1];
  if (id === undefined || title === undefined) {
    const missing = id === undefined ? `id (${IDS.join(', ')})` : `title (${TITLES.join(', ')})`;
    throw new DataError(`${source.name}: no column for the items’ ${missing}; the columns are ${header?.join(', ')}`);
  }
  const titles = new Map<string, string>();
  for (const { cells, line } of rows) {
    if (cells.length <= Math.max(id, title)) {
      throw new DataError(
        `${source.name}:${line}: ${cells.length === 1 ? '1 column' : `${cells.length} columns`}, but the title is column ${title + 1}`,
      );
    }
    const key = cells[id].trim();
    if (!titles.has(key)) titles.set(key, cells[title].trim());
  }
  return titles;
}
