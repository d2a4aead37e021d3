import { hardest } from '../../../src/kernels/hardest.ts';
import { candidatePairs, NO_CANDIDATE, rank } from '../../../src/kernels/rank.ts';
import { sampleBatch } from '../../../src/kernels/sample-batch.ts';
import { sampleWeights } from '../../../src/kernels/sample-weights.ts';
import { aliasTable } from '../../../src/train/alias.ts';
import { DEFAULT_SETTINGS } from '../../../src/train/settings.ts';
import { hardestOf } from '../../../test/reference/hardest.ts';
import { rank as rankReference } from '../../../test/reference/rank.ts';
import { drawEpoch } from '../../../test/reference/sample-batch.ts';
import { type Case, type Sizes, single, times } from '../case.ts';
import type { Draws } from '../draws.ts';

const SEED = 42;
/** Leave-one-out: the held-out item and 99 negatives for each user of a chunk of 16,384 pairs. */
const WIDTH = 100;
const CHUNK = 163;

/** Drawing a batch, keeping hard negatives, weighing, and ranking the held-out items. */
export function samplingCases(sizes: Sizes): Case[] {
  return [sampleCase(sizes), hardestCase(sizes), weightsCase(sizes), pairsCase(sizes), rankCase(sizes)];
}

function sampleCase({ rows, users, items, interactions, negatives, sampler }: Sizes): Case {
  const shape = `${times(rows)} of ${times(interactions, 1 + negatives)}, ${sampler}`;
  // A sample's user and item, and one look at the user's items; how many more there are depends on luck.
  return single('sample_batch', shape, { bytes: 4 * rows * (2 + 2 + 1 + 3) }, (trial) => {
    const positives = drawPositives(trial.draws, users, items, interactions);
    const flat = positives.flat();
    const offsets = new Uint32Array(users + 1);
    positives.forEach((own, user) => {
      offsets[user + 1] = offsets[user]! + own.length;
    });
    const counts = new Uint32Array(items);
    for (const item of flat) counts[item]!++;
    const popularity = sampler === 'popularity';
    const table = popularity ? aliasTable(counts, DEFAULT_SETTINGS.samplerPower) : new Uint32Array(2);
    const alias = popularity
      ? Array.from({ length: items }, (_, item) => [table[2 * item]!, table[2 * item + 1]!] as const)
      : null;
    const samples = [...drawEpoch({ positives, items, negatives, seed: SEED, alias }, 0).take(rows)];
    const views = {
      step: trial.input(Uint32Array.of(0)),
      positiveUsers: trial.input(Uint32Array.from(positives.flatMap((own, user) => own.map(() => user)))),
      offsets: trial.input(offsets),
      positiveItems: trial.input(Uint32Array.from(flat)),
      alias: trial.input(table),
      users: trial.output(
        'users',
        Uint32Array.from(samples, ({ user }) => user),
      ),
      items: trial.output(
        'items',
        Uint32Array.from(samples, ({ item }) => item),
      ),
      labels: trial.output(
        'labels',
        Float32Array.from(samples, ({ label }) => label),
      ),
    };
    const batches = Math.ceil((flat.length * (1 + negatives)) / rows);
    const size = {
      rows: samples.length,
      candidates: 1,
      batchSize: rows,
      batches,
      positives: flat.length,
      negatives,
      items,
      seed: SEED,
    };
    sampleBatch(trial.plan, views, size, popularity);
  });
}

function hardestCase({ rows, users, items }: Sizes): Case {
  const candidates = DEFAULT_SETTINGS.hardCandidates;
  const pairs = rows * candidates;
  // Every logit, and a user and an item in and out.
  return single('hardest', times(rows, candidates), { bytes: 4 * (pairs + 4 * rows) }, (trial) => {
    const [pairUsers, pairItems] = [trial.draws.ids(pairs, users), trial.draws.ids(pairs, items)];
    const logits = trial.draws.vector(pairs);
    const chosen = hardestOf(logits, candidates);
    const views = {
      pairUsers: trial.input(pairUsers),
      pairItems: trial.input(pairItems),
      logits: trial.input(logits),
      users: trial.output(
        'users',
        chosen.map((pair) => pairUsers[pair]!),
      ),
      items: trial.output(
        'items',
        chosen.map((pair) => pairItems[pair]!),
      ),
    };
    hardest(trial.plan, views, { rows, candidates });
  });
}

function weightsCase({ rows, items }: Sizes): Case {
  // A sample's item, label, item weight and weight.
  return single('sample_weights', `${times(rows)} of ${times(items)}`, { bytes: 16 * rows }, (trial) => {
    const [ids, itemWeights] = [trial.draws.ids(rows, items), trial.draws.vector(items, 0.1, 10)];
    const labels = Float32Array.from({ length: rows }, (_, i) => Number(i % 5 === 0));
    const views = {
      items: trial.input(ids),
      labels: trial.input(labels),
      itemWeights: trial.input(itemWeights),
      weights: trial.output(
        'weights',
        Float32Array.from(ids, (item, i) => (labels[i] ? itemWeights[item]! : 1)),
      ),
    };
    sampleWeights(trial.plan, views, rows);
  });
}

/** Each user's items, ascending: popular ones more often, and the same number for every user. */
function drawPositives(draws: Draws, users: number, items: number, interactions: number): number[][] {
  return Array.from({ length: users }, (_, user) => {
    const count = Math.floor(((user + 1) * interactions) / users) - Math.floor((user * interactions) / users);
    const own = new Set<number>();
    while (own.size < count) own.add(draws.popular(1, items)[0]!);
    return [...own].sort((a, b) => a - b);
  });
}

function pairsCase({ users, items }: Sizes): Case {
  const pairs = CHUNK * WIDTH;
  return single('candidate_pairs', times(CHUNK, WIDTH), { bytes: 4 * (CHUNK + 3 * pairs) }, (trial) => {
    const [tested, candidates] = [trial.draws.ids(CHUNK, users), trial.draws.ids(pairs, items)];
    candidates[WIDTH - 1] = NO_CANDIDATE;
    const views = {
      step: trial.input(Uint32Array.of(0)),
      testedUsers: trial.input(tested),
      candidates: trial.input(candidates),
      users: trial.output(
        'users',
        Uint32Array.from(candidates, (_, i) => tested[Math.floor(i / WIDTH)]!),
      ),
      items: trial.output(
        'items',
        candidates.map((item) => (item === NO_CANDIDATE ? 0 : item)),
      ),
    };
    candidatePairs(trial.plan, views, { chunk: CHUNK, width: WIDTH, tested: CHUNK });
  });
}

function rankCase({ items }: Sizes): Case {
  const pairs = CHUNK * WIDTH;
  return single('rank', times(CHUNK, WIDTH), { bytes: 4 * (2 * pairs + CHUNK) }, (trial) => {
    const [candidates, logits] = [trial.draws.ids(pairs, items), trial.draws.vector(pairs)];
    candidates[WIDTH - 1] = NO_CANDIDATE;
    const expected = Uint32Array.from({ length: CHUNK }, (_, user) => {
      const own = [user * WIDTH, (user + 1) * WIDTH] as const;
      return rankReference([...candidates.subarray(...own)], [...logits.subarray(...own)]);
    });
    const views = {
      step: trial.input(Uint32Array.of(0)),
      candidates: trial.input(candidates),
      logits: trial.input(logits),
      ranks: trial.output('ranks', expected),
    };
    rank(trial.plan, views, { chunk: CHUNK, width: WIDTH, tested: CHUNK });
  });
}
