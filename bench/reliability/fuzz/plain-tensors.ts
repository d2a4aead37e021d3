/** A safetensors file read in the plainest way, by its specification: what the reader is compared with. */

const WIDTHS: Readonly<Record<string, number>> = { F32: 4, U32: 4, F64: 8, F16: 2, BF16: 2, I64: 8 };

/** Name, shape and numbers of each tensor; null for a file that is to be refused, or has halves, which nobody writes here. */
export function plainTensors(bytes: Uint8Array): [name: string, shape: number[], data: number[]][] | null {
  const file = Buffer.from(bytes);
  if (file.length < 8) return null;
  const start = 8n + file.readBigUInt64LE(0);
  if (start > BigInt(file.length) || file[8] !== 0x7b) return null;
  let header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, Number(start))));
  } catch {
    return null;
  }
  const data = file.subarray(Number(start));
  const tensors: [string, number[], number[]][] = [];
  const owner = new Uint8Array(data.length);
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = entry ?? {};
    if (typeof dtype !== 'string') return null;
    if (!Array.isArray(shape) || !Array.isArray(offsets) || offsets.length !== 2 || !Object.hasOwn(WIDTHS, dtype))
      return null;
    const [from, to] = offsets;
    const isWhole = [...shape, from, to].every((n) => Number.isInteger(n) && n >= 0);
    const size = shape.reduce((product, n) => product * BigInt(isWhole ? n : 0), BigInt(WIDTHS[dtype]!));
    if (!isWhole || to > data.length || BigInt(to) - BigInt(from) !== size) return null;
    for (let at = from; at < to; at++) if (owner[at]++) return null;
    if (dtype === 'I64' && name.endsWith('num_batches_tracked')) continue;
    const numbers = numbersIn(data.subarray(from, to), dtype);
    if (!numbers) return null;
    tensors.push([name, shape, numbers]);
  }
  return owner.every((times) => times === 1) ? tensors : null;
}

function numbersIn(bytes: Buffer, dtype: string): number[] | null {
  const read = { F32: bytes.readFloatLE, U32: bytes.readUInt32LE, F64: bytes.readDoubleLE }[dtype];
  const width = WIDTHS[dtype]!;
  if (!read) return null;
  const all = Array.from({ length: bytes.length / width }, (_, i) => read.call(bytes, i * width));
  return dtype === 'F64' ? all.map(Math.fround) : all;
}
