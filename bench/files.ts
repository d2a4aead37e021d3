/** Files of the command line: whatever goes wrong with one is said in a line. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
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
 * Written beside, synced, then renamed, and the rename synced: whoever reads finds the old file or the new one, never half
 * of one, also after a kill or a power cut. A kill may leave what is beside, which `removePartial` removes.
 * Throws ConfigError when the folder cannot be written, or the disk is full; the old file is then as it was.
 */
export function replaceFile(folder: string, name: string, data: string | Uint8Array): void {
  const path = join(folder, name);
  try {
    const file = openSync(partialOf(path), 'w');
    try {
      if (typeof data === 'string') writeFileSync(file, data);
      else for (let at = 0; at < data.length; ) at += writeSync(file, data, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(partialOf(path), path);
    syncFolder(folder);
  } catch (error) {
    freePartial(path);
    throw new ConfigError(`--out ${folder}: ${name} cannot be written: ${(error as Error).message}`);
  }
}

/** Removes what a kill left of a file that was being written. Throws ConfigError when it cannot be removed. */
export function removePartial(folder: string, name: string): void {
  try {
    rmSync(partialOf(join(folder, name)), { force: true });
  } catch (error) {
    throw new ConfigError(`--out ${folder}: ${name} cannot be written: ${(error as Error).message}`);
  }
}

const partialOf = (path: string) => `${path}.partial`;

/** A file that failed halfway would keep a full disk full. */
function freePartial(path: string): void {
  try {
    rmSync(partialOf(path), { force: true });
  } catch {
    // What kept it from being written is what the caller says.
  }
}

/** Without it a rename may be lost in a power cut. Windows opens no folders and syncs renames itself. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const entry = openSync(folder, 'r');
  try {
    fsyncSync(entry);
  } finally {
    closeSync(entry);
  }
}
