import { gzipSync } from 'node:zlib';
import type { Draws } from './draws.ts';

/** What often breaks a reader of texts. */
const TOKENS = [
  ...[
    '\0',
    '"',
    '""',
    '\r',
    '\n',
    '\r\n',
    '\t',
    ',',
    ';',
    '::',
    '|',
    ' ',
    '\ufeff',
    '\u2028',
    '\u0085',
    '\x1b[2J',
    '\u202e',
  ],
  ...[
    'NaN',
    'Infinity',
    '-Infinity',
    '1e400',
    '-1e400',
    '1e-400',
    '-0',
    '0x10',
    '9007199254740993',
    '1_000',
    '٣',
    '+5',
    '.5',
  ],
  ...[
    '2020-02-30',
    '0000-00-00',
    '2020-01-01T25:00',
    '2020-01-01 10:00+01:00',
    'user',
    'item',
    'timestamp',
    'user,item\n',
  ],
  ...['__proto__', 'constructor', 'toString', '=1+1', '<script>', '{"a":[1e309]}', '[[[[', '}', 'null', 'true'],
].map((text) => new TextEncoder().encode(text));
const BYTES = [
  [0xff],
  [0xfe],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x1f, 0x8b],
  [0x80],
  [0xe2, 0x82],
];

/** Bytes with one to four things wrong. */
export function mutated(draws: Draws, original: Uint8Array): Uint8Array {
  let bytes = original;
  for (let left = draws.between(1, 4); left > 0; left--) bytes = draws.pick(MUTATIONS)(draws, bytes);
  return draws.chance(0.1) ? damagedGzip(draws, bytes) : bytes;
}

type Mutation = (draws: Draws, bytes: Uint8Array) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  function truncate(draws, bytes) {
    return bytes.slice(0, draws.below(bytes.length + 1));
  },
  function flip(draws, bytes) {
    const changed = bytes.slice();
    if (changed.length > 0) changed[draws.below(changed.length)]! ^= 1 << draws.below(8);
    return changed;
  },
  function token(draws, bytes) {
    return inserted(draws, bytes, draws.pick(TOKENS));
  },
  function replace(draws, bytes) {
    const [from, to] = range(draws, bytes, 8);
    return Buffer.concat([bytes.subarray(0, from), draws.pick(TOKENS), bytes.subarray(to)]);
  },
  function notUtf8(draws, bytes) {
    return inserted(draws, bytes, Uint8Array.from(draws.pick(BYTES)));
  },
  function remove(draws, bytes) {
    const [from, to] = range(draws, bytes, 12);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  function repeat(draws, bytes) {
    const [from, to] = range(draws, bytes, 40);
    return inserted(draws, bytes, bytes.slice(from, to));
  },
  function otherSeparators(draws, bytes) {
    const [one, other] = [
      draws.pick([',', ';', '\t', '::', '\n']),
      draws.pick([',', ';', '\t', '::', '|', '\r', '\r\n']),
    ];
    const text = Buffer.from(bytes).toString('latin1');
    const some = draws.chance(0.5) ? text.replaceAll(one, other) : text.replace(one, other);
    return Buffer.from(some, 'latin1');
  },
  function noise(draws, bytes) {
    return inserted(draws, bytes, Uint8Array.from(draws.list(draws.between(1, 30), () => draws.below(256))));
  },
  function rare(draws, bytes) {
    const kind = draws.below(40);
    if (kind === 0) return inserted(draws, bytes, Buffer.alloc(draws.between(60_000, 200_000), draws.pick(TOKENS)));
    if (kind < 3) return new Uint8Array(0);
    if (kind < 6) return Buffer.from(Buffer.from(bytes).toString('latin1'), 'utf16le');
    if (kind < 8)
      return Buffer.concat([Uint8Array.of(0xff, 0xfe), Buffer.from(Buffer.from(bytes).toString(), 'utf16le')]);
    if (kind < 12) return Uint8Array.from(draws.list(draws.between(1, 400), () => draws.below(256)));
    return bytes;
  },
];

/** The bytes zipped, and what a bad line or disk makes of them. */
function damagedGzip(draws: Draws, bytes: Uint8Array): Uint8Array {
  const zipped = new Uint8Array(gzipSync(bytes));
  const kind = draws.below(5);
  if (kind === 0) return zipped;
  if (kind === 1) return zipped.slice(0, draws.below(zipped.length));
  if (kind === 2) return Buffer.concat([zipped, zipped]);
  if (kind === 3) return Buffer.concat([zipped, draws.pick(TOKENS)]);
  zipped[draws.below(zipped.length)]! ^= 1 << draws.below(8);
  return zipped;
}

function inserted(draws: Draws, bytes: Uint8Array, more: Uint8Array): Uint8Array {
  const at = draws.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

function range(draws: Draws, bytes: Uint8Array, longest: number): [from: number, to: number] {
  const from = draws.below(bytes.length + 1);
  return [from, Math.min(bytes.length, from + draws.between(1, longest))];
}
