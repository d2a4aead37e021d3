import type { IdMap } from '../data/id-map.ts';
import { DataError } from '../errors.ts';

/** How many known ids an error names. */
const EXAMPLES = 3;

/** The indices of ids that a model must know. Throws DataError naming the first that it does not. */
export function indicesOf(
  ids: readonly string[],
  known: IdMap,
  kind: 'user' | 'item',
  model: string,
): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(ids, (id) => {
    const index = known.indexOf(id);
    if (index !== undefined) return index;
    const examples = Array.from({ length: Math.min(EXAMPLES, known.size) }, (_, i) => `"${known.idOf(i)}"`);
    throw new DataError(
      `${model}: no ${kind} "${id}"; it knows ${known.size} ${kind}s, such as ${examples.join(', ')}`,
    );
  });
}
