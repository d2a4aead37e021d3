/**
 * The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes. F32 and U32 are written; files of
 * other programs may also have F64 (rounded to F32), F16 and BF16 (both exact in F32).
 */
import { DataError } from '../errors.ts';
import { fromBf16, fromF16 } from './floats.ts';
import { repeatedKey } from './repeated-key.ts';

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
  const entries = Array.from(tensors, ([name, { shape, data }]): [string, HeaderEntry] => {
    const begin = offset;
    offset += data.byteLength;
    return [name, { dtype: data instanceof Uint32Array ? 'U32' : 'F32', shape, data_offsets: [begin, offset] }];
  });
  const header = Object.fromEntries<HeaderEntry | Record<string, string>>([
    ['__metadata__', { ...metadata }],
    ...entries,
  ]);
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

/** What a file says of its tensors and beside them; none is copied. Throws as decodeSafetensors does. */
export function readOutline(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): { metadata: SafetensorsFile['metadata']; shapes: ReadonlyMap<string, Pick<StoredTensor, 'shape'>> } {
  const { metadata, places } = readHeader(bytes, name);
  return { metadata, shapes: new Map(places.map(({ key, shape }) => [key, { shape }])) };
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
  if (bytes[8] !== 0x7b) throw broken('its header is no JSON object');
  const text = decoded(bytes.subarray(8, start));
  const header = text === null ? null : parsed(text);
  if (header === null) throw broken('its header is no JSON');
  const repeated = repeatedKey(text!);
  if (repeated !== null) throw broken(`${repeated} stands twice in its header`);
  const { __metadata__: metadata = {}, ...entries } = header as Record<string, unknown>;
  if (!isTextMap(metadata)) throw broken('its __metadata__ is no object of texts');
  const places: Place[] = [];
  const ranges: [begin: number, end: number, key: string][] = [];
  for (const [key, entry] of Object.entries(entries)) {
    if (!isHeaderEntry(entry)) throw broken(`${key} has no dtype, shape and data_offsets`);
    const { dtype, shape, data_offsets } = entry;
    const [from, to] = data_offsets;
    ranges.push([from, to, key]);
    if (start + to > bytes.length)
      throw broken(`${key} should end at byte ${start + to}, and the file has ${bytes.length}`);
    if (dtype === 'I64' && IGNORED.test(key)) continue;
    const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
    if (!type) throw broken(`${key} is ${dtype}; ${Object.keys(TYPES).join(', ')} would be right`);
    const size = type.bytes * shape.reduce((product, n) => product * n, 1);
    if (to - from !== size) throw broken(`${key} [${shape}] has ${to - from} bytes, not ${size}`);
    places.push({ key, shape, type, begin: start + from, end: start + to });
  }
  // Every byte belongs to one tensor, as the specification has it: what nobody reads could be anything.
  let covered = 0;
  for (const [from, to, key] of ranges.sort(([a, b], [c, d]) => a - c || b - d)) {
    if (from !== covered || to < from) throw broken(`${key} begins at byte ${from} of the data, not at ${covered}`);
    covered = to;
  }
  if (start + covered !== bytes.length) {
    throw broken(`its tensors end at byte ${start + covered}, and the file has ${bytes.length}`);
  }
  return { metadata, places };
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The object of a JSON text that begins with a brace; null for what is no JSON. */
function parsed(text: string): object | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isTextMap(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}

function isHeaderEntry(entry: unknown): entry is HeaderEntry {
  const { dtype, shape, data_offsets } = (entry ?? {}) as Record<string, unknown>;
  const counts = (list: unknown) => Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  return typeof dtype === 'string' && counts(shape) && counts(data_offsets) && (data_offsets as number[]).length === 2;
}
