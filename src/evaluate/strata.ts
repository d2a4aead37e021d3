import { byPopularity } from '../data/item-lists.ts';
import { popularity, type Split } from '../data/split.ts';
import type { Evaluated, Evaluation, Ranks } from './evaluation.ts';

const STRATA = ['head', 'middle', 'tail'] as const;

/** The metrics of the users whose held-out item is as popular as a stratum's items; without metrics when there are none. */
export interface Stratum extends Evaluated {
  readonly stratum: (typeof STRATA)[number];
  readonly items: number;
  readonly testedUsers: number;
}

/**
 * The stratum of each item, 0 for the head: u8[items]. Each has about a third of the training interactions, as the
 * percentiles of Bellogín et al. 2017 (Statistical biases in information retrieval metrics for recommender systems, P1R)
 * have equal shares of them: thirds of the items would put nearly all held-out items into the head.
 *
 *   s_i = interactions of the items more popular than i / all      stratum = ⌊3 s_i⌋
 *
 * so that items of the same popularity are never apart, and the most popular ones are always the head.
 */
export function strataOf(split: Split): Uint8Array {
  const counts = popularity(split);
  const order = byPopularity(counts);
  const strata = new Uint8Array(split.items);
  let before = 0;
  let above = 0;
  order.forEach((item, place) => {
    if (place > 0 && counts[item]! < counts[order[place - 1]!]!) above = before;
    strata[item] = Math.min(STRATA.length - 1, Math.floor((STRATA.length * above) / split.train.items.length));
    before += counts[item]!;
  });
  return strata;
}

/** The metrics by the popularity that the held-out item has in training. */
export function metricsByStratum(evaluation: Evaluation, ranks: Ranks): Stratum[] {
  const { test } = evaluation.split;
  const strata = strataOf(evaluation.split);
  return STRATA.map((stratum, number) => {
    const rows = Uint32Array.from(test.items.keys().filter((row) => strata[test.items[row]!] === number));
    return {
      stratum,
      items: strata.filter((other) => other === number).length,
      testedUsers: rows.length,
      ...(rows.length > 0 && evaluation.metricsOf(ranks, rows)),
    };
  });
}
