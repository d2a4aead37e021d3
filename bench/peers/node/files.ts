/** What the runner wrote, as contenders in Node read it. */
import { readFileSync } from 'node:fs';
import { decodeSafetensors, type StoredTensor } from '../../../src/models/safetensors.ts';

export function readTensors(path: string): ReadonlyMap<string, StoredTensor> {
  return decodeSafetensors(new Uint8Array(readFileSync(path)), path).tensors;
}

/** A batch as libraries without u32 ids want it. */
export interface Columns {
  readonly users: Int32Array<ArrayBuffer>;
  readonly items: Int32Array<ArrayBuffer>;
  readonly labels: Float32Array<ArrayBuffer>;
}

export function readColumns(path: string): Columns {
  const file = readTensors(path);
  return {
    users: Int32Array.from(numbers(file, 'users', 'U32')),
    items: Int32Array.from(numbers(file, 'items', 'U32')),
    labels: numbers(file, 'labels', 'F32'),
  };
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
