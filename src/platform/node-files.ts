/** Files of Node as sources of data. */
import { createReadStream, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ByteSource } from '../data/source.ts';
import { DataError } from '../errors.ts';

const CHUNK_BYTES = 1 << 18;

/** Throws DataError when the file does not exist or is a folder; when it cannot be read, its stream does. */
export function fileSource(path: string): ByteSource {
  const stat = statOf(path);
  if (!stat) throw new DataError(`${path}: no such file`);
  if (stat.isDirectory()) throw new DataError(`${path}: a folder, not a file`);
  const stream = () => Readable.toWeb(Readable.from(fileChunks(path))) as ReadableStream<Uint8Array>;
  return { name: path, size: stat.size, stream };
}

/** Names of the files in a folder, sorted; null when `path` is not a folder. Throws DataError when it cannot be read. */
export function listFolder(path: string): string[] | null {
  if (!statOf(path)?.isDirectory()) return null;
  const names = orUnreadable(path, () => readdirSync(path));
  return names.filter((name) => statOf(join(path, name))?.isFile()).sort();
}

const statOf = (path: string): Stats | undefined => orUnreadable(path, () => statSync(path, { throwIfNoEntry: false }));

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: CHUNK_BYTES });
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function orUnreadable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): DataError {
  return new DataError(`${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
}
