import { KNOWN_NAMES } from '../../../src/data/columns.ts';
import { plainCells, plainText } from './plain-text.ts';

const IDS = [...KNOWN_NAMES.item, 'id', 'code', 'stockcode', 'sku'];
const TITLES = ['title', 'name', 'itemname', 'movietitle', 'productname', 'description', 'label'];

/** Titles by ids, or null where the file is to be refused. */
export function plainTitles(bytes: Uint8Array): [id: string, title: string][] | null {
  const text = plainText(bytes, 'windows-1252');
  if (text === null) return null;
  const line = text.trimStart().split('\n')[0]!;
  const ends = ['::', '\t', '|', ',', ';'].filter((one) => line.includes(one));
  const delimiter = ends.sort((a, b) => line.indexOf(a) - line.indexOf(b))[0] ?? ',';
  const rows = plainCells(text, delimiter);
  if (!rows || rows.length === 0) return null;
  const names = rows[0]!.map((cell) => cell.toLowerCase().replace(/:.*|[_\s-]/g, ''));
  const header = names.some((name) => [...IDS, ...TITLES].includes(name));
  const placeOf = (known: readonly string[]) => names.indexOf(known.find((name) => names.includes(name)) ?? '\0');
  const [id, title] = header ? [placeOf(IDS), placeOf(TITLES)] : [0, 1];
  if (id! < 0 || title! < 0) return null;
  const titles = new Map<string, string>();
  for (const cells of header ? rows.slice(1) : rows) {
    if (cells[id!] === undefined || cells[title!] === undefined) return null;
    if (cells.slice(rows[0]!.length).some((cell) => cell.trim() !== '')) return null;
    const key = cells[id!]!.trim();
    if (!titles.has(key)) titles.set(key, cells[title!]!.trim());
  }
  return [...titles];
}
