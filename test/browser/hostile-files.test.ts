import { gzipSync } from 'node:zlib';
import { expect, inject, it } from 'vitest';
import { main } from './entries/texts.ts';
import { runIn } from './harness.ts';

const ZIPPED = gzipSync('user,item\r\nänn,tea\r\n');
const FLIPPED = ZIPPED.map((byte, at) => (at === ZIPPED.length - 6 ? byte ^ 1 : byte));
/** Bytes that no gzip makes smaller, in chunks of a browser's size. */
const LONG = Array.from({ length: 200_000 }, (_, i) => `${(i * 7919) % 10_007},${(i * 104_729) % 10_009}\n`).join('');
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  plain: '\ufeffuser,item\ränn,tea\r',
  zipped: ZIPPED,
  long: gzipSync(LONG),
  empty: '',
  cut: ZIPPED.subarray(0, -9),
  flipped: FLIPPED,
  twice: Buffer.concat([ZIPPED, ZIPPED]),
  followed: Buffer.concat([ZIPPED, Buffer.from('more')]),
  latin1: Uint8Array.of(0x61, 0xe4, 0x62),
  bomb: gzipSync(Buffer.alloc(24 * 2 ** 20, 'u,i\n')),
};
const damaged =
  'the gzip data is truncated, damaged or followed by more; fetch the file again, or compress it in one piece';

it.each(inject('browsers'))('%s and Node read a file alike, and refuse it alike', async (browser) => {
  const files = Object.fromEntries(
    Object.entries(FILES).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
  );
  const answers = await runIn(browser, new URL('entries/texts.ts', import.meta.url), files);
  expect(answers).toEqual(await main(files));
  expect(answers).toEqual({
    plain: 'user,item\nänn,tea\n',
    zipped: 'user,item\nänn,tea\n',
    long: LONG.length,
    empty: '',
    ...Object.fromEntries(
      ['cut', 'flipped', 'twice', 'followed'].map((name) => [name, `DataError: ${name}: ${damaged}`]),
    ),
    latin1: 'DataError: latin1: not a text in UTF-8; save it as UTF-8',
    bomb: 'DataError: bomb: the gzip inflates to over 16 MiB and 100 times its size, which no data does; inflate it first if it is right',
  });
});
