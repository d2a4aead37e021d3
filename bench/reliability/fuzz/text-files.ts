/** Interactions of which everything is known, written as a file in one of the ways that are right. */
import { gzipSync } from 'node:zlib';
import type { DelimitedOptions } from '../../../src/data/delimited.ts';
import type { ByteSource } from '../../../src/data/source.ts';
import type { Draws } from './draws.ts';
import type { Interaction } from './plain-interactions.ts';

const PARTS = [
  '1',
  '42',
  '7',
  'a',
  'B',
  'tea',
  'ü',
  '😀',
  '٣',
  '.',
  '-',
  '=',
  '+',
  '@',
  "'",
  '<b>',
  '&',
  '#',
  '/',
  '\\',
  '_',
];
const AWKWARD = [' ', ',', ';', '\t', '"', '\n', ':', '|', '\x1b', '\u2028', '\u00a0'];
const WHOLE = [
  '__proto__',
  'constructor',
  'toString',
  '0',
  '-1',
  '1e3',
  'null',
  'NaN',
  '2020-01-01',
  'Infinity',
  '007',
];

/** An id, which no reader trims. @param awkward characters that may be in it */
export function drawId(draws: Draws, awkward: readonly string[] = AWKWARD): string {
  if (draws.chance(0.2)) return draws.pick(WHOLE);
  const alphabet = [...PARTS, ...PARTS, ...awkward];
  const id = draws
    .list(draws.between(1, 6), () => draws.pick(alphabet))
    .join('')
    .trim();
  return id === '' ? 'x' : id;
}

/** The text of a time, and the number that it is. */
export function drawTime(draws: Draws): [text: string, time: number] {
  const kind = draws.below(6);
  if (kind === 0) return ['-0', -0];
  if (kind === 1) return [`${draws.below(1000)}.${draws.below(10)}e${draws.below(4)}`, 0];
  const seconds = draws.below(2 ** 31);
  if (kind > 3) return [String(seconds), seconds];
  const date = new Date(seconds * 1000).toISOString();
  if (kind === 2) return [date.slice(0, 10), Date.parse(date.slice(0, 10)) / 1000];
  return [date.slice(0, 19).replace('T', draws.pick(['T', ' '])) + draws.pick(['', 'Z', '+00:00']), seconds];
}

export interface Written {
  readonly bytes: Uint8Array;
  readonly options: DelimitedOptions;
  /** What the file says, in its order, pairs that stand twice among them. */
  readonly rows: readonly Interaction[];
}

const NAMES = {
  user: ['user', 'userId', 'USER_ID', 'user_id:token', ' uid '],
  item: ['item', 'movieId', 'Item ID', 'asin', 'item_id:token'],
  time: ['timestamp', 'time', 'ts', 'date', 'timestamp:float'],
};

export function writeInteractions(draws: Draws): Written {
  const delimiter = draws.pick(['::', '\t', ',', ',', ';']);
  const hasTime = draws.chance(0.7);
  const asLetters = !draws.chance(0.7); // no header: nothing in the first row may look like one, or like other delimiters
  const quotes = delimiter !== '::';
  const awkward = AWKWARD.filter((one) => (asLetters || !quotes ? one === ' ' || one === '\u00a0' : true));
  const pool = (n: number) => draws.list(n, () => (asLetters ? `i${drawId(draws, awkward)}` : drawId(draws, awkward)));
  const [users, items] = [pool(draws.between(1, 5)), pool(draws.between(1, 6))];
  const more = asLetters ? (hasTime ? draws.below(2) : 0) : draws.below(3);
  const columns = shuffled(draws, [
    'user',
    'item',
    ...(hasTime ? ['time'] : []),
    ...draws.list(more, (i) => `more ${i}`),
  ]);
  if (asLetters)
    columns.splice(0, columns.length, 'user', 'item', ...(more ? ['more 0'] : []), ...(hasTime ? ['time'] : []));
  const rows: Interaction[] = [];
  const lines: string[] = [];
  const quoted = (cell: string) => {
    const must = quotes && (cell.includes(delimiter) || cell.includes('\n') || cell.startsWith('"'));
    return must || (quotes && draws.chance(0.1)) ? `"${cell.replaceAll('"', '""')}"` : cell;
  };
  if (!asLetters)
    lines.push(
      columns.map((column) => quoted(column in NAMES ? draws.pick(NAMES[column as 'user']) : column)).join(delimiter),
    );
  for (let left = draws.between(1, 12); left > 0; left--) {
    const [text, time] = drawTime(draws);
    const cells: Record<string, string> = { user: draws.pick(users), item: draws.pick(items), time: text };
    rows.push([cells.user!, cells.item!, hasTime ? time || Number(text) : null]);
    lines.push(
      columns.map((column) => quoted(cells[column] ?? (asLetters ? '5' : drawId(draws, awkward)))).join(delimiter),
    );
    if (draws.chance(0.05)) lines.push('');
  }
  const end = draws.pick(['\n', '\n', '\r\n', '\r']);
  const text = (draws.chance(0.1) ? '\ufeff' : '') + lines.join(end) + (draws.chance(0.8) ? end : '');
  return { bytes: encoded(draws, text), options: optionsOf(draws, delimiter, columns, asLetters, hasTime), rows };
}

function optionsOf(
  draws: Draws,
  delimiter: string,
  columns: string[],
  asLetters: boolean,
  hasTime: boolean,
): DelimitedOptions {
  const format = draws.chance(0.7) ? 'auto' : delimiter === '\t' ? 'tsv' : delimiter === '::' ? 'auto' : 'csv';
  if (asLetters || draws.chance(0.8)) return { format };
  const at = (name: string) => columns.indexOf(name) + 1;
  return { format, columns: { user: at('user'), item: at('item'), ...(hasTime ? { timestamp: at('time') } : {}) } };
}

export function encoded(draws: Draws, text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return draws.chance(0.2) ? gzipSync(bytes) : bytes;
}

export function shuffled<T>(draws: Draws, list: readonly T[]): T[] {
  const order = [...list];
  for (let i = order.length - 1; i > 0; i--) {
    const j = draws.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The bytes in chunks that end anywhere. */
export function chunked(draws: Draws, name: string, bytes: Uint8Array): ByteSource {
  return cutSource(
    name,
    bytes,
    draws.list(draws.below(4), () => draws.below(bytes.length + 1)).sort((a, b) => a - b),
  );
}

/** Streams the bytes, cut after each of the given offsets. */
export function cutSource(name: string, bytes: Uint8Array, cuts: Iterable<number>): ByteSource {
  const stream = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        let from = 0;
        for (const to of [...cuts, bytes.length]) {
          controller.enqueue(bytes.slice(from, to));
          from = to;
        }
        controller.close();
      },
    });
  return { name, stream };
}
