/**
 * The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes. F32 and U32 are written; files of
 * other programs may also have F64 (rounded to F32), F16 and BF16 (both exact in F32).
 */
import { DataError } from '../errors.ts';
import { fromBf16, fromF16 } from './floats.ts';

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
  /** Its type in the file, where the data was converted from it. */
  readonly converted?: 'F64' | 'F16' | 'BF16';
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const TYPES: Readonly<Record<string, { bytes: number; read: (data: ArrayBuffer) => Omit<StoredTensor, 'shape'> }>> = {
  F32: { bytes: 4, read: (data) => ({ data: new Float32Array(data) }) },
  U32: { bytes: 4, read: (data) => ({ data: new Uint32Array(data) }) },
  F64: { bytes: 8, read: (data) => ({ data: Float32Array.from(new Float64Array(data)), converted: 'F64' }) },
  F16: { bytes: 2, read: (data) => ({ data: fromF16(new Uint16Array(data)), converted: 'F16' }) },
  BF16: { bytes: 2, read: (data) => ({ data: fromBf16(new Uint16Array(data)), converted: 'BF16' }) },
};

/** PyTorch's BatchNorm counts its batches in an I64, which says nothing about how it normalises: such a tensor is left out. */
const IGNORED = /(^|\.)num_batches_tracked$/;

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export function encodeSafetensors({ tensors, metadata }: SafetensorsFile): Uint8Array<ArrayBuffer> {
  let offset = 0;
  const header: Record<string, HeaderEntry | Record<string, string>> = { __metadata__: { ...metadata } };
  for (const [name, { shape, data }] of tensors) {
    const end = offset + data.byteLength;
    header[name] = { dtype: data instanceof Uint32Array ? 'U32' : 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  // The data begins at a multiple of 8 bytes; spaces at the header's end are allowed for that.
  const json = new TextEncoder().encode(text);
  const headerLength = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.fill(0x20, 8, 8 + headerLength);
  file.set(json, 8);
  let at = 8 + headerLength;
  for (const { data } of tensors.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * Reads a file's bytes.
 * @param name the file's name, for errors
 * Throws DataError when the bytes are no whole safetensors file, or one of tensors of other types.
 */
export function decodeSafetensors(bytes: Uint8Array<ArrayBuffer>, name: string): SafetensorsFile {
  const { metadata, places } = readHeader(bytes, name);
  const tensors = new Map<string, StoredTensor>();
  for (const { key, shape, type, begin, end } of places) {
    // Not bytes.slice, which in Node's Buffer copies nothing.
    tensors.set(key, { shape, ...type.read(bytes.buffer.slice(bytes.byteOffset + begin, bytes.byteOffset + end)) });
  }
  return { tensors, metadata };
}

/** What a file says beside its tensors, of which none is copied. Throws as decodeSafetensors does. */
export function readMetadata(bytes: Uint8Array<ArrayBuffer>, name: string): SafetensorsFile['metadata'] {
  return readHeader(bytes, name).metadata;
}

/** Where a tensor stands in the file, from one byte to another. */
interface Place {
  readonly key: string;
  readonly shape: readonly number[];
  readonly type: (typeof TYPES)[string];
  readonly begin: number;
  readonly end: number;
}

function readHeader(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): { metadata: SafetensorsFile['metadata']; places: Place[] } {
  const broken = (what: string) => new DataError(`${name}: not a readable safetensors file: ${what}`);
  if (bytes.length < 8) throw broken(`${bytes.length} bytes, and the header's length alone takes 8`);
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const start = 8 + headerLength;
  if (start > bytes.length) throw broken(`the header should end at byte ${start}, and the file has ${bytes.length}`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch {
    throw broken('its header is no JSON');
  }
  if (typeof header !== 'object' || header === null) throw broken('its header is no JSON object');
  const { __metadata__: metadata = {}, ...entries } = header as Record<string, unknown>;
  const places: Place[] = [];
  for (const [key, entry] of Object.entries(entries)) {
    if (!isHeaderEntry(entry)) throw broken(`${key} has no dtype, shape and data_offsets`);
    const { dtype, shape, data_offsets } = entry;
    if (dtype === 'I64' && IGNORED.test(key)) continue;
    const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
    if (!type) throw broken(`${key} is ${dtype}; ${Object.keys(TYPES).join(', ')} would be right`);
    const [from, to] = data_offsets;
    const size = type.bytes * shape.reduce((product, n) => product * n, 1);
    if (to - from !== size) throw broken(`${key} [${shape}] has ${to - from} bytes, not ${size}`);
    if (start + to > bytes.length)
      throw broken(`${key} should end at byte ${start + to}, and the file has ${bytes.length}`);
    places.push({ key, shape, type, begin: start + from, end: start + to });
  }
  return { metadata: metadata as Record<string, string>, places };
}

function isHeaderEntry(entry: unknown): entry is HeaderEntry {
  const { dtype, shape, data_offsets } = (entry ?? {}) as Record<string, unknown>;
  const counts = (list: unknown) => Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  return typeof dtype === 'string' && counts(shape) && counts(data_offsets) && (data_offsets as number[]).length === 2;
}
