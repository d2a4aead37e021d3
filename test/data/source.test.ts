import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ByteSource, textChunks } from '../../src/data/source.ts';
import { DataError } from '../../src/errors.ts';
import { blobSource } from '../../src/platform/browser-files.ts';
import { fileSource, listFolder } from '../../src/platform/node-files.ts';
import { folder, source } from './sources.ts';

async function textOf(source: ByteSource): Promise<string> {
  return (await Array.fromAsync(textChunks(source))).join('');
}

const TEXT = Array.from({ length: 20_000 }, (_, i) => `${i % 613},${(i * 7919) % 1000},${i}\n`).join('');
const ZIPPED = gzipSync(TEXT);

describe('text', () => {
  it('is inflated when it begins like a gzip, whatever the name says', async () => {
    const path = folder({ 'plain.gz': TEXT, 'zipped.csv': ZIPPED });
    expect(await textOf(fileSource(join(path, 'plain.gz')))).toBe(TEXT);
    expect(await textOf(fileSource(join(path, 'zipped.csv')))).toBe(TEXT);
    expect(await textOf(blobSource(new Blob([ZIPPED]), 'dropped'))).toBe(TEXT);
  });

  it('is inflated also when the stream is cut inside the gzip’s first two bytes', async () => {
    expect(await textOf(source('data.gz', ZIPPED, [0, 1, 1, 2]))).toBe(TEXT);
  });

  it.each([
    ['in the middle', ZIPPED.subarray(0, ZIPPED.length >> 1)],
    ['within the last eight bytes, which hold checksum and length', ZIPPED.subarray(0, -3)],
    ['before these eight bytes', ZIPPED.subarray(0, -8)],
    ['within its header', ZIPPED.subarray(0, 5)],
    [
      'nowhere, but a bit has flipped in the middle',
      ZIPPED.map((byte, at) => (at === ZIPPED.length >> 1 ? byte ^ 1 : byte)),
    ],
    ['long before its file does', Buffer.concat([ZIPPED, Buffer.from('more')])],
    ['where another one begins', Buffer.concat([ZIPPED, ZIPPED])],
    ['nowhere, but its checksum is wrong', ZIPPED.map((byte, at) => (at === ZIPPED.length - 6 ? byte ^ 1 : byte))],
  ])('of a gzip that ends %s is refused', async (_, bytes) => {
    const message =
      'data.csv.gz: the gzip data is truncated, damaged or followed by more; fetch the file again, or compress it in one piece';
    await expect(textOf(source('data.csv.gz', bytes))).rejects.toThrow(new DataError(message));
  });

  it('of a gzip that inflates without end is refused before it fills the memory', async () => {
    const bomb = gzipSync(Buffer.alloc(24 * 2 ** 20, 'u,i\n')); // 24 kB
    const message =
      'bomb.csv.gz: the gzip inflates to over 16 MiB and 100 times its size, which no data does; inflate it first if it is right';
    let read = 0;
    const reading = (async () => {
      for await (const text of textChunks(source('bomb.csv.gz', bomb))) read += text.length;
    })();
    await expect(reading).rejects.toThrow(new DataError(message));
    expect(read).toBeLessThanOrEqual(16 * 2 ** 20);
  });

  it.each(['\r\n', '\r', '\n'])(
    'has LF at the end of its lines where the file has %j, wherever it is cut',
    async (end) => {
      const lines = ['a', '', 'b', 'c'];
      for (let cut = 0; cut < 10; cut++) {
        expect(await textOf(source('data', lines.join(end) + end, [cut, cut]))).toBe('a\n\nb\nc\n');
      }
    },
  );

  it('is UTF-8', async () => {
    const latin1 = Uint8Array.of(0x41, 0x6e, 0x67, 0xe9, 0x6c);
    const message = 'data.csv: not a text in UTF-8; save it as UTF-8';
    await expect(textOf(source('data.csv', latin1))).rejects.toThrow(new DataError(message));
    await expect(textOf(source('data.csv', latin1.subarray(0, 4)))).rejects.toThrow(new DataError(message));
  });
});

describe('a path', () => {
  it('of no file or of a folder is refused at once', () => {
    const path = folder({});
    expect(() => fileSource('ratings.csv')).toThrow(new DataError('ratings.csv: no such file'));
    expect(() => fileSource(path)).toThrow(new DataError(`${path}: a folder, not a file`));
  });

  it.skipIf(process.getuid?.() === 0)(
    'of a file without permission is refused (skipped for root, who may read all)',
    async () => {
      const path = join(folder({ 'data.csv': TEXT }), 'data.csv');
      chmodSync(path, 0);
      const message = `${path}: cannot be read (EACCES)`;
      await expect(textOf(fileSource(path))).rejects.toThrow(new DataError(message));
    },
  );

  it('of a folder lists its files, and not its folders', () => {
    const path = folder({ 'b.csv': '', 'a.csv': '', 'inner/c.csv': '' });
    expect(listFolder(path)).toEqual(['a.csv', 'b.csv']);
    expect(listFolder(join(path, 'a.csv'))).toBeNull();
    expect(listFolder(join(path, 'nothing'))).toBeNull();
  });
});
