/** Rows grouped by a key: a counting sort, stable, O(rows + groups). */

export interface Groups {
  /** [groups + 1]: group g is rows[offsets[g]] … rows[offsets[g + 1] − 1]. */
  readonly offsets: Uint32Array;
  /** Row numbers, ascending within a group. */
  readonly rows: Uint32Array;
}

export function groupRows(keys: Uint32Array, groups: number): Groups {
  const offsets = new Uint32Array(groups + 1);
  for (const key of keys) offsets[key + 1]++;
  for (let group = 0; group < groups; group++) offsets[group + 1] += offsets[group];
  const next = offsets.slice();
  const rows = new Uint32Array(keys.length);
  for (let row = 0; row < keys.length; row++) rows[next[keys[row]]++] = row;
  return { offsets, rows };
}
