/** Where bytes come from: a file of Node, a File of a browser, anything that streams. */
import { DataError } from '../errors.ts';

export interface ByteSource {
  /** What the user calls it; error messages begin with it. */
  readonly name: string;
  /** Bytes as stored, where known. */
  readonly size?: number;
  /** A new stream from the first byte on. */
  stream(): ReadableStream<Uint8Array>;
}

/**
 * The source's text in pieces, inflated as byteChunks does.
 * Throws DataError when the gzip is damaged or the text is not UTF-8.
 */
export async function* textChunks(source: ByteSource): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const bytes of byteChunks(source)) yield decode(decoder, bytes, source.name);
  yield decode(decoder, undefined, source.name);
}

/**
 * The source's bytes in pieces, inflated when the first ones are those of a gzip, whatever its name.
 * Throws DataError when the gzip is damaged.
 */
export async function* byteChunks(source: ByteSource): AsyncGenerator<Uint8Array> {
  const [probe, stored] = source.stream().tee();
  const zipped = await startsLikeGzip(probe);
  const gunzip = () => new DecompressionStream('gzip') as ReadableWritablePair<Uint8Array, Uint8Array>;
  const reader = (zipped ? stored.pipeThrough(gunzip()) : stored).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
  } catch (cause) {
    if (cause instanceof DataError || !zipped) throw cause;
    throw new DataError(`${source.name}: the gzip data is truncated or damaged; fetch the file again`, { cause });
  } finally {
    // Closes the file when the reader was left early; after an error there is nothing left to close.
    reader.cancel().catch(() => {});
  }
}

function decode(decoder: TextDecoder, bytes: Uint8Array | undefined, name: string): string {
  try {
    return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
  } catch (cause) {
    throw new DataError(`${name}: not a text in UTF-8; save it as UTF-8`, { cause });
  }
}

/** RFC 1952: every gzip begins with 1f 8b, which no UTF-8 text does. */
async function startsLikeGzip(bytes: ReadableStream<Uint8Array>): Promise<boolean> {
  const reader = bytes.getReader();
  const start: number[] = [];
  while (start.length < 2) {
    const { done, value } = await reader.read();
    if (done) break;
    start.push(...value.subarray(0, 2));
  }
  // Not awaited: a half of a tee reports its cancellation only when the other half has ended too.
  reader.cancel().catch(() => {});
  return start[0] === 0x1f && start[1] === 0x8b;
}
