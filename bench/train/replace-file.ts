import { closeSync, fsyncSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../src/errors.ts';

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
