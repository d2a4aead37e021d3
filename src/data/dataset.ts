/** Data ready for training: found among files, read, split. */
import { DataError } from '../errors.ts';
import type { DelimitedFormat, DelimitedOptions } from './delimited.ts';
import { type Ids, identityIds } from './id-map.ts';
import type { ByteSource } from './source.ts';
import { leaveOneOut, type Split } from './split.ts';
import { drawValidation } from './validation.ts';

export type DataFormat = DelimitedFormat | 'ncf';

export interface DatasetOptions {
  /** Default: the name of the file, without folders and `.gz`; of NCF files, their common prefix. */
  readonly name?: string;
  /** Default auto: NCF by the files' names, anything else by its first line. */
  readonly format?: DataFormat | undefined;
  readonly columns?: DelimitedOptions['columns'];
  /** Also holds out a validation item a user: the last but one, or one drawn where the split comes given. */
  readonly validation?: boolean | undefined;
  /**
   * Those of an earlier data set, e.g. of a checkpoint: they keep their indices, also where the data has them no more, and
   * new ones are appended.
   */
  readonly knownIds?: Ids | null | undefined;
  /** Of what is drawn; default 42. */
  readonly seed?: number | undefined;
}

export interface Dataset extends Ids {
  readonly name: string;
  readonly split: Split;
  /** Distinct (user, item) pairs, training and held out together. */
  readonly interactions: number;
  /** Rows joined with an earlier one of the same user and item. */
  readonly duplicates: number;
  /** What made an interaction a user's last: its time, its place in the file, or the data's own split. */
  readonly lastBy: 'timestamp' | 'file order' | 'given split';
}

/** Files that are taken from a folder, best first. */
const KNOWN_FILES = ['ratings.dat', 'u.data', 'ratings.csv', 'interactions.tsv', 'interactions.csv'];

/**
 * Reads one file, or finds among the files of a folder what it knows: the NCF paper's trio, ratings.dat, u.data,
 * ratings.csv, interactions.tsv or .csv, each with or without .gz. Throws DataError for what it cannot find or read.
 */
export async function loadDataset(
  sources: ByteSource | readonly ByteSource[],
  options: DatasetOptions = {},
): Promise<Dataset> {
  const { format = 'auto', columns, validation = false, knownIds, seed = 42 } = options;
  const files = 'stream' in sources ? [sources] : sources;
  const { findNcfFiles, readInteractions, readNcf } = await import('./readers.ts');
  const ncf = format === 'auto' || format === 'ncf' ? findNcfFiles(files) : null;
  if (ncf) {
    const { split: given, ...counts } = await readNcf(ncf, knownIds);
    const split = validation ? drawValidation(given, seed) : given;
    const ids = { userIds: identityIds(split.users), itemIds: identityIds(split.items) };
    return { name: options.name ?? ncf.name, split, ...ids, ...counts, lastBy: 'given split' };
  }
  if (format === 'ncf')
    throw new DataError(notFound(files, options.name, '*.train.rating, *.test.rating and *.test.negative'));
  const file = 'stream' in sources ? sources : findKnown(sources, options.name);
  const interactions = await readInteractions(file, { format, columns, knownIds });
  return {
    name: options.name ?? plainName(file),
    split: leaveOneOut(interactions, { validation }),
    userIds: interactions.userIds,
    itemIds: interactions.itemIds,
    interactions: interactions.users.length,
    duplicates: interactions.duplicates,
    lastBy: interactions.timestamps ? 'timestamp' : 'file order',
  };
}

function findKnown(files: readonly ByteSource[], folder: string | undefined): ByteSource {
  for (const name of KNOWN_FILES) {
    const found = files.find((file) => plainName(file) === name);
    if (found) return found;
  }
  throw new DataError(notFound(files, folder, `*.train.rating, ${KNOWN_FILES.join(', ')}`));
}

function notFound(files: readonly ByteSource[], folder: string | undefined, wanted: string): string {
  const names = files.map(plainName);
  const found = names.length > 5 ? [...names.slice(0, 5), `${names.length - 5} more`] : names;
  const among = found.join(', ') || 'no files';
  return `${folder ? `${folder}: ` : ''}no data found; looked for ${wanted} (each also with .gz) among ${among}`;
}

/** Without folders and `.gz`. */
function plainName({ name }: ByteSource): string {
  return name.replace(/^.*[/\\]/, '').replace(/\.gz$/, '');
}
