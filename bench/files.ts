/** Files of the command line: whatever goes wrong with one is said in a line. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError } from '../src/errors.ts';

/** Throws DataError when the file cannot be read. */
export function readFile(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DataError(`${path}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
}

/** Throws ConfigError when the folder cannot be made. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new ConfigError(`--out ${folder}: the folder cannot be made: ${(error as Error).message}`);
  }
}

/**
 * Written beside, synced, then renamed: a reader finds the old file or the new one, never half of one.
 * Throws ConfigError when the folder cannot be written, or the disk is full.
 */
export function replaceFile(folder: string, name: string, data: string | Uint8Array): void {
  const path = join(folder, name);
  try {
    const partial = `${path}.partial`;
    const file = openSync(partial, 'w');
    try {
      if (typeof data === 'string') writeFileSync(file, data);
      else for (let at = 0; at < data.length; ) at += writeSync(file, data, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(partial, path);
  } catch (error) {
    throw new ConfigError(`--out ${folder}: ${name} cannot be written: ${(error as Error).message}`);
  }
}
