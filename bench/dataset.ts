/** Data for the command line: the bundled set by its name, or a file, a folder, or the prefix of NCF files by its path. */
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Dataset, type DatasetOptions, loadDataset } from '../src/data/dataset.ts';
import { ncfPrefix } from '../src/data/ncf.ts';
import { fileSource, listFolder } from '../src/platform/node-files.ts';

export const BUNDLED = 'online-retail';

/** Throws DataError when nothing readable is there. */
export async function openDataset(path: string, options: Omit<DatasetOptions, 'name'> = {}): Promise<Dataset> {
  if (path === BUNDLED) {
    const file = fileURLToPath(new URL(`./data/${BUNDLED}.tsv.gz`, import.meta.url));
    return loadDataset(fileSource(file), { ...options, name: BUNDLED });
  }
  const entries = listFolder(path);
  if (entries) return loadDataset(sourcesIn(path, entries), { ...options, name: basename(resolve(path)) });
  const siblings = ncfSiblings(path);
  if (siblings.length > 0) return loadDataset(sourcesIn(dirname(path), siblings), options);
  return loadDataset(fileSource(path), options);
}

/** The NCF files beside `path`, which is one of them or their common prefix. */
function ncfSiblings(path: string): string[] {
  const prefix = basename(ncfPrefix(path) ?? path);
  return (listFolder(dirname(path)) ?? []).filter((name) => ncfPrefix(name) === prefix);
}

function sourcesIn(folder: string, names: string[]) {
  return names.map((name) => fileSource(join(folder, name)));
}
