import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/errors.ts';
import { decodeSafetensors, encodeSafetensors, type SafetensorsFile } from '../../src/models/safetensors.ts';

const FILE: SafetensorsFile = {
  tensors: new Map([
    ['weights', { shape: [2, 3], data: Float32Array.of(1, -2.5, 1e-40, -0, 3.4e38, 0.1) }],
    ['ids', { shape: [2], data: Uint32Array.of(7, 0xffffffff) }],
    ['nothing', { shape: [0, 4], data: new Float32Array(0) }],
    ['scalar', { shape: [], data: Float32Array.of(Number.POSITIVE_INFINITY) }],
  ]),
  metadata: { format: 'test', text: 'ünïcode “quoted”\n{}' },
};

/** What the format's specification says, by hand: length of the header, header, data. */
function byHand(header: string, data: readonly number[]): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const length = [json.length & 0xff, json.length >> 8, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([...length, ...json, ...data]);
}

const ONE_AND_HALF = [0, 0, 0x80, 0x3f, 0, 0, 0, 0x3f]; // 1 and 0.5 as f32, little-endian

it('what is encoded is decoded to the last bit', () => {
  expect(decodeSafetensors(encodeSafetensors(FILE), 'file')).toEqual(FILE);
});

it('a file made by hand is read', () => {
  const bytes = byHand('{"t":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}', ONE_AND_HALF);
  const { tensors, metadata } = decodeSafetensors(bytes, 'file');
  expect([...tensors]).toEqual([['t', { shape: [1, 2], data: Float32Array.of(1, 0.5) }]]);
  expect(metadata).toEqual({});
});

it('a file is written as the specification says, its data at a multiple of 8 bytes', () => {
  for (const name of ['t', 'to', 'ten', 'tens', 'tenso', 'tensor', 'tensors', 'tensors!']) {
    const tensors = new Map([[name, { shape: [2], data: Float32Array.of(1, 0.5) }]]);
    const bytes = encodeSafetensors({ tensors, metadata: { a: 'b' } });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    expect(header).toMatch(/^\{.*\} {0,7}$/);
    expect(JSON.parse(header)).toEqual({
      __metadata__: { a: 'b' },
      [name]: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    });
    expect([...bytes.subarray(8 + length)]).toEqual(ONE_AND_HALF);
    expect((8 + length) % 8).toBe(0);
  }
});

it('tensors and metadata may have any name', () => {
  const names = ['__proto__', 'constructor', '', 'a"b\\', 'toString'];
  const tensors = new Map(names.map((name, i) => [name, { shape: [1], data: Float32Array.of(i) }]));
  const metadata = Object.fromEntries(names.map((name) => [name, `${name}!`]));
  const { tensors: read, metadata: said } = decodeSafetensors(encodeSafetensors({ tensors, metadata }), 'file');
  expect([...read]).toEqual([...tensors]);
  expect(Object.entries(said)).toEqual(Object.entries(metadata));
});

it('bytes inside a larger buffer are read, also as Node’s Buffer, whose slice() copies nothing', () => {
  const encoded = encodeSafetensors(FILE);
  const larger = new Uint8Array(encoded.length + 24);
  larger.set(encoded, 13);
  expect(decodeSafetensors(larger.subarray(13, 13 + encoded.length), 'file')).toEqual(FILE);
  expect(decodeSafetensors(Buffer.from(larger.buffer, 13, encoded.length), 'file')).toEqual(FILE);
});

describe('floats of other widths are read as F32:', () => {
  const words = (...bits: number[]) => bits.flatMap((word) => [word & 0xff, word >> 8]);
  const decoded = (dtype: string, count: number, data: readonly number[]) => {
    const header = JSON.stringify({ t: { dtype, shape: [count], data_offsets: [0, data.length] } });
    return decodeSafetensors(byHand(header, data), 'file').tensors.get('t')!;
  };

  it('F16, every kind of number', () => {
    const data = words(0x3c00, 0xc100, 0x7bff, 0x0400, 0x0001, 0x83ff, 0x8000, 0x7c00, 0xfc00, 0x7e00);
    const smallest = 2 ** -24;
    const normals = [1, -2.5, 65504, 2 ** -14];
    expect(decoded('F16', 10, data)).toEqual({
      shape: [10],
      data: Float32Array.of(...normals, smallest, -1023 * smallest, -0, Infinity, -Infinity, Number.NaN),
      converted: 'F16',
    });
  });

  it('BF16', () => {
    const data = words(0x3f80, 0xc020, 0x0001, 0x7f7f, 0xff80);
    expect(decoded('BF16', 5, data)).toEqual({
      shape: [5],
      data: Float32Array.of(1, -2.5, 2 ** -133, 255 * 2 ** 120, -Infinity),
      converted: 'BF16',
    });
  });

  it('F64, rounded', () => {
    const data = [...new Uint8Array(Float64Array.of(0.1, -1e-50).buffer)];
    expect(decoded('F64', 2, data)).toEqual({ shape: [2], data: Float32Array.of(0.1, -0), converted: 'F64' });
  });
});

it('PyTorch’s count of BatchNorm’s batches is left out, and any other I64 refused', () => {
  const bytes = (name: string) => byHand(`{"${name}":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, ONE_AND_HALF);
  expect(decodeSafetensors(bytes('mlp.1.num_batches_tracked'), 'file').tensors.size).toBe(0);
  expect(() => decodeSafetensors(bytes('mlp.1.count'), 'file')).toThrow('mlp.1.count is I64; F32,');
});

describe('what is no whole file is refused:', () => {
  const entry = (change: object) =>
    JSON.stringify({ t: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...change } });
  it.each<[string, Uint8Array<ArrayBuffer>, string]>([
    ['no bytes', new Uint8Array(0), "0 bytes, and the header's length alone takes 8"],
    [
      'a header that should be longer than the file',
      Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d),
      'the header should end at byte 208, and the file has 10',
    ],
    ['a header that is no JSON', byHand('{"t":', []), 'its header is no JSON'],
    ['a header that is no object', byHand('null', []), 'its header is no JSON object'],
    ['a header that begins with a byte order mark', byHand('\ufeff{}', []), 'its header is no JSON object'],
    [
      'a header that is not UTF-8',
      Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0xff, 0x7d),
      'its header is no JSON',
    ],
    ['metadata of numbers', byHand('{"__metadata__":{"step":1}}', []), 'its __metadata__ is no object of texts'],
    ['metadata that are null', byHand('{"__metadata__":null}', []), 'its __metadata__ is no object of texts'],
    ['a name that stands twice', byHand('{"a":{},"\\u0061":{}}', []), 'a stands twice in its header'],
    [
      'tensors that overlap',
      byHand(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        ONE_AND_HALF,
      ),
      'b begins at byte 4 of the data, not at 8',
    ],
    [
      'bytes between the tensors',
      byHand(entry({ data_offsets: [4, 8], shape: [1] }), ONE_AND_HALF),
      't begins at byte 4 of the data, not at 0',
    ],
    [
      'bytes behind the tensors',
      byHand(entry({}), [...ONE_AND_HALF, 1]),
      'its tensors end at byte 70, and the file has 71',
    ],
    ['a shape larger than all numbers', byHand(entry({ shape: [2 ** 52, 2 ** 52, 0, 2 ** 52] }), []), 't should end'],
    ['data that end too early', byHand(entry({}), [0, 0, 0x80]), 't should end at byte 70, and the file has 65'],
    ['a shape that does not fit the bytes', byHand(entry({ shape: [3] }), ONE_AND_HALF), 't [3] has 8 bytes, not 12'],
    [
      'a type that is not used here',
      byHand(entry({ dtype: 'I64', shape: [1] }), ONE_AND_HALF),
      't is I64; F32, U32, F64, F16, BF16 would be right',
    ],
    ['an entry that is none', byHand('{"t":null}', []), 't has no dtype, shape and data_offsets'],
    [
      'offsets before the data',
      byHand(entry({ data_offsets: [-8, 0] }), ONE_AND_HALF),
      't has no dtype, shape and data_offsets',
    ],
    [
      'an entry without offsets',
      byHand(entry({ data_offsets: undefined }), []),
      't has no dtype, shape and data_offsets',
    ],
  ])('%s', (_, bytes, message) => {
    const decode = () => decodeSafetensors(bytes, 'run/model.safetensors');
    expect(decode).toThrow(DataError);
    expect(decode).toThrow(`run/model.safetensors: not a readable safetensors file: ${message}`);
  });
});
