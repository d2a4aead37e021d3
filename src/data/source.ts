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
 * A gzip of interactions is a tenth to a third of their size; one of nothing but zeros a thousandth, which is how a small
 * file fills a disk. What inflates further than this is refused, once it is large enough to do harm.
 */
const MOST_INFLATED = { ratio: 100, bytes: 16 * 2 ** 20 };
/** Bytes that are inflated at once: in some browsers all that comes of a piece is held before any of it is read. */
const PIECE = 1 << 14;

/**
 * The source's text in pieces, inflated as byteChunks does, all lines ended by LF, whether the file has LF, CRLF or CR.
 * Throws DataError as byteChunks does, and when the text is not UTF-8.
 */
export async function* textChunks(source: ByteSource): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let held = ''; // a CR at a piece's end, behind which an LF may come
  for await (const bytes of byteChunks(source)) {
    const text = held + decode(decoder, bytes, source.name);
    held = text.endsWith('\r') ? '\r' : '';
    yield withLineFeeds(held ? text.slice(0, -1) : text);
  }
  yield withLineFeeds(held + decode(decoder, undefined, source.name));
}

/** The text with LF where it has CRLF or CR. */
export function withLineFeeds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/**
 * The source's bytes in pieces, inflated when the first ones are those of a gzip, whatever its name.
 * Throws DataError when the gzip is damaged, or inflates to more than MOST_INFLATED.
 */
export async function* byteChunks(source: ByteSource): AsyncGenerator<Uint8Array> {
  const [probe, stored] = source.stream().tee();
  const zipped = await startsLikeGzip(probe);
  const taken = { bytes: 0 };
  const gunzip = () => new DecompressionStream('gzip') as ReadableWritablePair<Uint8Array, Uint8Array>;
  const reader = (zipped ? stored.pipeThrough(inPieces(taken)).pipeThrough(gunzip()) : stored).getReader();
  let inflated = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      inflated += value.length;
      if (zipped && inflated > Math.max(MOST_INFLATED.bytes, MOST_INFLATED.ratio * taken.bytes)) throw tooLarge(source);
      yield value;
    }
  } catch (cause) {
    if (cause instanceof DataError || !zipped) throw cause;
    const right = 'fetch the file again, or compress it in one piece';
    throw new DataError(`${source.name}: the gzip data is truncated, damaged or followed by more; ${right}`, { cause });
  } finally {
    // Closes the file when the reader was left early; after an error there is nothing left to close.
    reader.cancel().catch(() => {});
  }
}

function tooLarge({ name }: ByteSource): DataError {
  const { ratio, bytes } = MOST_INFLATED;
  return new DataError(
    `${name}: the gzip inflates to over ${bytes / 2 ** 20} MiB and ${ratio} times its size, which no data does; inflate it first if it is right`,
  );
}

/** Cuts chunks into pieces, and counts their bytes. */
function inPieces(taken: { bytes: number }): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      for (let at = 0; at < chunk.length; at += PIECE) controller.enqueue(chunk.subarray(at, at + PIECE));
      taken.bytes += chunk.length;
    },
  });
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
