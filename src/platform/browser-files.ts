/** Blobs, as browsers hand over files from an `<input type="file">`, a drop or a fetch, as sources of data; Node has them too. */
import type { ByteSource } from '../data/source.ts';

export function blobSource(blob: Blob, name: string): ByteSource {
  return { name, size: blob.size, stream: () => blob.stream() };
}
