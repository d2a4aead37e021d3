import { plainCells, plainText } from './plain-text.ts';

/** What the NCF paper's three files say. */
export interface PlainSplit {
  readonly users: number;
  readonly items: number;
  /** The items of each user, ascending. */
  readonly train: number[][];
  /** User, item, and the negatives but for the item. */
  readonly test: number[][];
}

/** The split, or null where one of the files is to be refused. */
export function plainNcf(files: Readonly<Record<string, Uint8Array>>): PlainSplit | null {
  const rows = (name: string) => {
    const text = plainText(files[`x.${name}`]!);
    return text === null ? null : plainCells(text, '\t');
  };
  const [listed, tested, negatives] = ['train.rating', 'test.rating', 'test.negative'].map(rows);
  const [train, test] = [pairsOf(listed), pairsOf(tested)];
  if (!train || !test || !negatives || negatives.length !== test.length) return null;
  const lists: number[][] = [];
  for (const [row, [user, item]] of test.entries()) {
    const [pair, ...others] = negatives[row]!;
    const drawn = others.map(idOf);
    if (pair!.replaceAll(' ', '') !== `(${user},${item})` || drawn.includes(null)) return null;
    lists.push([user, item, ...(drawn as number[]).filter((one) => one !== item)]);
  }
  const [userIds, itemIds] = [
    [...train, ...test].map(([user]) => user),
    [...train.map(([, item]) => item), ...lists.flatMap(([, ...items]) => items)],
  ];
  const [users, items] = [Math.max(...userIds) + 1, Math.max(...itemIds) + 1];
  return {
    users,
    items,
    train: Array.from({ length: users }, (_, user) =>
      [...new Set(train.flatMap(([one, item]) => (one === user ? [item] : [])))].sort((a, b) => a - b),
    ),
    test: lists,
  };
}

function pairsOf(rows: ReturnType<typeof plainCells> | undefined): [user: number, item: number][] | null {
  if (!rows || rows.length === 0) return null;
  const pairs = rows.map((cells): [number, number] | null => {
    const [user, item] = [idOf(cells[0]!), idOf(cells[1] ?? '')];
    return [2, 4].includes(cells.length) && user !== null && item !== null ? [user, item] : null;
  });
  return pairs.includes(null) ? null : (pairs as [number, number][]);
}

/** Users and items are counted from 0 without gaps, so that a small file has no large ones. */
function idOf(text: string): number | null {
  const id = text.trim();
  return /^\d+$/.test(id) && Number(id) < 10_000 ? Number(id) : null;
}
