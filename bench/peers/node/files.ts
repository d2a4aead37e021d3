/** What the runner wrote, as contenders in Node read it. */
import { readFileSync } from 'node:fs';
import { decodeSafetensors, type StoredTensor } from '../../../src/models/safetensors.ts';

export function readTensors(path: string): ReadonlyMap<string, StoredTensor> {
  return decodeSafetensors(new Uint8Array(readFileSync(path)), path).tensors;
}

/** Throws for a name that the file does not have, or that has the other type. */
export function numbers<T extends 'F32' | 'U32'>(
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  type: T,
): T extends 'F32' ? Float32Array<ArrayBuffer> : Uint32Array<ArrayBuffer> {
  const data = tensors.get(name)?.data;
  if (!(data instanceof (type === 'F32' ? Float32Array : Uint32Array))) throw new Error(`no ${type} tensor ${name}`);
  return data as ReturnType<typeof numbers<T>>;
}
