/** Tables as TensorFlow's Embedding Projector reads them: tabs, no quotation marks, a line for each row. */
import type { IdMap } from '../../src/data/id-map.ts';

export function vectorsTsv({ dim, values }: { readonly dim: number; readonly values: Float32Array }): string {
  const lines: string[] = [];
  for (let at = 0; at < values.length; at += dim) lines.push(values.subarray(at, at + dim).join('\t'));
  return `${lines.join('\n')}\n`;
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
