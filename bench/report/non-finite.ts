import type { IdMap, Ids } from '../../src/data/id-map.ts';
import type { NonFiniteError } from '../../src/errors.ts';
import { csvLines } from '../csv.ts';
import { formatCount } from './format.ts';

/** Ids that are named; the others are counted. */
const NAMED = 3;
/** Characters of an id that are shown. */
const LONGEST = 40;

/** What left the numbers and whose samples were in its batch, where that is known, in the data's own ids. */
export function describeNonFinite({ message, users, items }: NonFiniteError, { userIds, itemIds }: Ids): string {
  if (users.length === 0) return message;
  const samples = `${formatCount(users.length)} sample${users.length === 1 ? '' : 's'}`;
  return `${message}; its batch: ${samples} of ${nameSome('user', users, userIds)} with ${nameSome('item', items, itemIds)}`;
}

function nameSome(what: string, rows: Uint32Array, ids: IdMap): string {
  const distinct = [...new Set(rows)];
  const named = distinct.slice(0, NAMED).map((row) => shown(ids.idOf(row)));
  const more = distinct.length > NAMED ? ', …' : '';
  return `${formatCount(distinct.length)} ${what}${distinct.length === 1 ? '' : 's'} (${named.join(', ')}${more})`;
}

/** On one line, whatever the id has in it. */
const shown = (id: string) => JSON.stringify(id.length > LONGEST ? `${id.slice(0, LONGEST)}…` : id);

/** The batch as a table, sample by sample. */
export function batchCsv({ users, items, labels }: NonFiniteError, { userIds, itemIds }: Ids): string {
  const rows = Array.from(users, (user, i) => [userIds.idOf(user), itemIds.idOf(items[i]!), labels[i]!]);
  return csvLines([['user', 'item', 'label'], ...rows]);
}
