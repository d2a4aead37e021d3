/** Files of a browser (a File is a Blob), from an `<input type="file">`, a drop or a fetch, as sources of data. */
import type { ByteSource } from '../data/source.ts';

export function blobSource(blob: Blob, name: string): ByteSource {
  return { name, size: blob.size, stream: () => blob.stream() };
}
