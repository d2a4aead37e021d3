import { KNOWN_NAMES } from '../../../src/data/columns.ts';
import type { DelimitedOptions } from '../../../src/data/delimited.ts';
import { plainCells, plainText, plainTime } from './plain-text.ts';

const DELIMITERS = {
  auto: ['::', '\t', ',', ';'],
  movielens: ['::', '\t', ','],
  csv: [',', ';'],
  tsv: ['\t'],
};

/** User, item and time, which is null where the file has none. */
export type Interaction = readonly [user: string, item: string, time: number | null];

/** What a file says by the documented rules, or null where it is to be refused. */
export function plainInteractions(
  bytes: Uint8Array,
  { format = 'auto', columns }: DelimitedOptions,
): Interaction[] | null {
  const text = plainText(bytes)?.replace(/^\s*\n/, '');
  if (text === undefined) return null;
  let best: string | null = null;
  let width = 1;
  for (const delimiter of DELIMITERS[format]) {
    // Of a text that is wrong further down, the first row still tells the delimiter.
    const first = firstRow(text, delimiter);
    if (first > width) [best, width] = [delimiter, first];
  }
  const rows = best === null ? null : plainCells(text, best);
  if (!rows || rows.length === 0) return null;
  const layout = plainLayout(rows[0]!, rows[1], columns);
  if (!layout) return null;
  const interactions: Interaction[] = [];
  for (const cells of layout.header ? rows.slice(1) : rows) {
    const one = interaction(cells, width, layout);
    if (!one) return null;
    interactions.push(one);
  }
  return interactions.length > 0 ? distinct(interactions) : null;
}

/** Columns of the first row: of the shortest text of whole lines whose quotes are right. */
function firstRow(text: string, delimiter: string): number {
  for (let end = text.indexOf('\n'); ; end = text.indexOf('\n', end + 1)) {
    const [first] = plainCells(end < 0 ? text : text.slice(0, end), delimiter) ?? [];
    if (first) return first.length;
    if (end < 0) return 0;
  }
}

function interaction(cells: readonly string[], width: number, layout: NonNullable<ReturnType<typeof plainLayout>>) {
  const [user, item] = [cells[layout.user]?.trim(), cells[layout.item]?.trim()];
  const time = layout.time === null ? null : plainTime(cells[layout.time] ?? '');
  const more = cells.slice(width).some((cell) => cell.trim() !== '');
  if (!user || !item || more || (layout.time !== null && time === null)) return null;
  return [user, item, time] as const;
}

function plainLayout(first: readonly string[], second: readonly string[] = [], columns: DelimitedOptions['columns']) {
  const roles = ['user', 'item', 'timestamp'] as const;
  const names = first.map((cell) => cell.toLowerCase().replace(/:.*|[_\s-]/g, ''));
  const asked = roles.map((role) => columns?.[role]);
  const known = roles.map((role) => KNOWN_NAMES[role].find((name) => names.includes(name)));
  const named = asked.some((one) => typeof one === 'string') || known.some((one) => one !== undefined);
  const places = roles.map((_, i) => {
    const one = asked[i];
    if (typeof one === 'number') return one - 1;
    const name =
      one === undefined
        ? columns
          ? undefined
          : known[i]
        : String(one)
            .toLowerCase()
            .replace(/:.*|[_\s-]/g, '');
    if (name !== undefined) return names.indexOf(name) === names.lastIndexOf(name) ? names.indexOf(name) : -1;
    if (columns || named) return null;
    if (first.length > 4) return -1;
    return [0, 1, first.length === 2 ? null : first.length - 1][i]!;
  });
  if (places.some((at) => at === -1)) return null;
  const [user, item, time] = places;
  if (user == null || item == null || time === undefined) return null;
  const numbers = time === null ? [user, item] : [time];
  const guessed = numbers.every((at) => plainTime(first[at] ?? '') === null && plainTime(second[at] ?? '') !== null);
  if (guessed && !named && !columns) return null;
  return { user, item, time, header: named || guessed };
}

/** Of each pair the earliest, in its place in the file; of equally early ones the first. */
function distinct(interactions: readonly Interaction[]): Interaction[] {
  const best = new Map<string, number>();
  interactions.forEach(([user, item, time], at) => {
    const pair = JSON.stringify([user, item]);
    const rival = best.get(pair);
    if (rival === undefined || (time !== null && time < interactions[rival]![2]!)) best.set(pair, at);
  });
  const kept = new Set(best.values());
  return interactions.filter((_, at) => kept.has(at));
}
