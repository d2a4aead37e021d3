/** Data made by the tests: in memory, or as files of a temporary folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { cutSource } from '../../bench/reliability/fuzz/text-files.ts';
import type { Interactions } from '../../src/data/interactions.ts';
import type { ByteSource } from '../../src/data/source.ts';

/** Streams `content`, cut after each of the given byte offsets. */
export function source(name: string, content: string | Uint8Array, cuts: Iterable<number> = []): ByteSource {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return cutSource(name, bytes, cuts);
}

/** A folder with these files, removed when the test has ended. */
export function folder(files: Record<string, string | Uint8Array>): string {
  const path = mkdtempSync(join(tmpdir(), 'neumf-data-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

/** The rows again as text: `user item timestamp`, or `user item` without timestamps. */
export function rowsOf({ users, items, timestamps, userIds, itemIds }: Interactions): string[] {
  return Array.from(users, (user, row) => {
    const pair = `${userIds.idOf(user)} ${itemIds.idOf(items[row])}`;
    return timestamps ? `${pair} ${timestamps[row]}` : pair;
  });
}
