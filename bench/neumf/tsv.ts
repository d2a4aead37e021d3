/** Tables as TensorFlow's Embedding Projector reads them: tabs, no quotation marks, a line for each row. */
import type { IdMap } from '../../src/data/id-map.ts';

/** Rows turned into bytes at once: no string of a whole table, which may be longer than strings can be. */
const BATCH = 4096;
/** Significant digits that tell any two f32 apart. */
const DIGITS = 9;

export function vectorsTsv({ dim, values }: { readonly dim: number; readonly values: Float32Array }): Uint8Array {
  const batches: Buffer[] = [];
  let lines = '';
  for (let at = 0; at < values.length; at += dim) {
    lines += `${Array.from(values.subarray(at, at + dim), (value) => Number(value.toPrecision(DIGITS))).join('\t')}\n`;
    if ((at / dim) % BATCH < BATCH - 1) continue;
    batches.push(Buffer.from(lines));
    lines = '';
  }
  return Buffer.concat([...batches, Buffer.from(lines)]);
}

/** Ids alone without a header, ids and names with one: the format knows a header only where there are two columns. */
export function metadataTsv(ids: IdMap, names?: ReadonlyMap<string, string>): string {
  const known = Array.from({ length: ids.size }, (_, index) => ids.idOf(index));
  const lines = names
    ? ['id\tname', ...known.map((id) => `${plain(id)}\t${plain(names.get(id) ?? '')}`)]
    : known.map(plain);
  return `${lines.join('\n')}\n`;
}

/** The format has no way to quote what ends a cell or a line. */
const plain = (text: string) => text.replace(/[\t\r\n]+/g, ' ');
