/** Which column holds the user, which the item, which the time. */
import { ConfigError, DataError } from '../errors.ts';
import { parseTimestamp } from './timestamp.ts';

/** Columns by their name in the header, or by their number from 1. Without `timestamp`, the file's order is the time. */
export interface Columns {
  readonly user: string | number;
  readonly item: string | number;
  readonly timestamp?: string | number | undefined;
}

/** The same, found: indices from 0. */
export interface Layout {
  readonly header: boolean;
  readonly user: number;
  readonly item: number;
  readonly timestamp: number | null;
}

export const ROLES = ['user', 'item', 'timestamp'] as const;
type Role = (typeof ROLES)[number];

/** Names that a header may use, best first; compared in lower case and without `_`, `-` and spaces. */
export const KNOWN_NAMES: Record<Role, readonly string[]> = {
  user: ['user', 'userid', 'uid', 'customer', 'customerid', 'reviewerid', 'visitorid'],
  item: ['item', 'itemid', 'iid', 'movie', 'movieid', 'product', 'productid', 'article', 'articleid', 'asin'],
  timestamp: ['timestamp', 'time', 'ts', 'unixreviewtime', 'datetime', 'date'],
};

/**
 * The layout of a file from its first two rows (`second` is undefined when there is only one) and what the caller says.
 *
 * Line 1 is a header when a column is asked for by name, when it holds a known name, or when its cells are no numbers
 * where those of line 2 are: the time, or user and item when there is no time. Without header and without `columns`,
 * two columns are user, item; three are user, item, timestamp; four are user, item, rating, timestamp.
 *
 * Throws DataError when a column is missing, ConfigError when a number is not from 1 on.
 */
export function findColumns(name: string, first: string[], second: string[] | undefined, columns?: Columns): Layout {
  const names = first.map(normalised);
  const are = first.map((cell) => cell.trim()).join(', ');
  const known = (role: Role) => KNOWN_NAMES[role].map(columnOf).find((at) => at >= 0);
  const hasNames = ROLES.some((role) => typeof columns?.[role] === 'string' || known(role) !== undefined);

  function columnOf(wanted: string): number {
    const at = names.indexOf(wanted);
    if (at < 0 || names.indexOf(wanted, at + 1) < 0) return at;
    throw new DataError(`${name}: two columns are called ${first[at].trim()} (${are}); give the columns by number`);
  }

  function find(role: Role): number | null {
    const asked = columns?.[role];
    if (typeof asked === 'number') {
      if (Number.isInteger(asked) && asked >= 1) return asked - 1;
      throw new ConfigError(`${role} column ${asked}: columns are counted from 1`);
    }
    if (typeof asked === 'string') {
      const at = columnOf(normalised(asked));
      if (at >= 0) return at;
      throw new DataError(`${name}: no column "${asked}" for the ${role}; the columns are ${are}`);
    }
    if (columns) return null;
    if (hasNames) return known(role) ?? null;
    if (first.length <= 4) return { user: 0, item: 1, timestamp: first.length === 2 ? null : first.length - 1 }[role];
    const count = `${first.length} columns and no header`;
    throw new DataError(`${name}: ${count}; say which are the user, the item and the timestamp`);
  }

  const [user, item, timestamp] = ROLES.map(find);
  if (user === null || item === null) {
    const missing = user === null ? 'user' : 'item';
    throw new DataError(`${name}: cannot tell the ${missing} from the header (${are}); name the columns`);
  }
  const header = hasNames || looksLikeHeader(timestamp === null ? [user, item] : [timestamp], first, second);
  if (!header || hasNames || columns) return { header, user, item, timestamp };
  throw new DataError(`${name}: cannot tell user and item from the header (${are}); name the columns`);
}

/** Whether the cells at `numbers` are no numbers in the first row, but are in the second. */
function looksLikeHeader(numbers: number[], first: string[], second: string[] = []): boolean {
  return numbers.every((at) => !isTime(first[at]) && isTime(second[at]));
}

const isTime = (cell = '') => !Number.isNaN(parseTimestamp(cell));
/** Without the type that RecBole's atomic files add: `user_id:token`. */
export const normalised = (cell: string) => cell.toLowerCase().replace(/:.*|[_\s-]/g, '');
