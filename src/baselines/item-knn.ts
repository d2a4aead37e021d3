import { Growing } from '../data/growing.ts';
import { type ItemLists, popularity, type Split } from '../data/split.ts';
import { ConfigError } from '../errors.ts';
import { coOccurrences } from './co-occurrence.ts';
import { turns, type Watch } from './long-loop.ts';
import type { Scorer } from './ranks.ts';

export const DEFAULT_NEIGHBOURS = 50;

export interface ItemKnnOptions extends Watch {
  /** How many of an item's most similar items count; default 50. */
  readonly neighbours?: number;
}

/** Of each item the items most similar to it, ascending, and how similar they are. */
interface Neighbours extends ItemLists {
  readonly similarities: Float64Array;
}

/**
 * Item-based nearest neighbours by cosine, without shrinkage. With n_ij users who have both i and j in training,
 *
 *   sim(i, j) = n_ij / √(n_i n_j),   score(u, i) = Σ_j sim(i, j)
 *
 * over those of u's items j that are among the k most similar to i, of equals the lower item. The neighbours are thus
 * those of the item that is scored, as in the ItemKNN of Ferrari Dacrema et al. 2019 (Are We Really Making Much
 * Progress?). O(items × k) memory, Σ |history|² additions. Throws ConfigError for a number of neighbours that cannot be.
 */
export async function itemKnnScorer(split: Split, options: ItemKnnOptions = {}): Promise<Scorer> {
  const { neighbours = DEFAULT_NEIGHBOURS, ...watch } = options;
  if (!Number.isInteger(neighbours) || neighbours < 1) {
    throw new ConfigError(`neighbours ${neighbours}: an integer of at least 1 would be right`);
  }
  const { offsets, items, similarities } = await nearest(split, neighbours, watch);
  const { train } = split;
  const taken = new Uint8Array(split.items);
  return (user, scored) => {
    const history = train.items.subarray(train.offsets[user], train.offsets[user + 1]);
    for (const item of history) taken[item] = 1;
    const scores = Float64Array.from(scored, (item) => {
      let score = 0;
      for (let at = offsets[item]; at < offsets[item + 1]; at++) score += taken[items[at]] * similarities[at];
      return score;
    });
    for (const item of history) taken[item] = 0;
    return scores;
  };
}

async function nearest(split: Split, neighbours: number, watch: Watch): Promise<Neighbours> {
  const { items, train } = split;
  const turn = turns(watch);
  const coOccurrence = coOccurrences(train, items);
  const users = popularity(split);
  const together = new Uint32Array(items);
  const others = new Uint32Array(items);
  const similar = new Float64Array(items);
  const offsets = new Uint32Array(items + 1);
  const kept = { items: new Growing(Uint32Array), similarities: new Growing(Float64Array) };
  for (let item = 0; item < items; item++) {
    coOccurrence(item, together);
    together[item] = 0; // no item is its own neighbour
    let found = 0;
    for (let other = 0; other < items; other++) {
      if (together[other] === 0) continue;
      others[found] = other;
      similar[found++] = together[other] / Math.sqrt(users[item] * users[other]);
    }
    const least = found > neighbours ? similar.slice(0, found).sort()[found - neighbours] : 0;
    let ties = neighbours;
    for (let at = 0; at < found; at++) ties -= Number(similar[at] > least);
    for (let at = 0; at < found; at++) {
      if (similar[at] < least || (similar[at] === least && ties-- <= 0)) continue;
      kept.items.push(others[at]);
      kept.similarities.push(similar[at]);
    }
    offsets[item + 1] = kept.items.length;
    await turn(item / items);
  }
  return { offsets, items: kept.items.toArray(), similarities: kept.similarities.toArray() };
}
