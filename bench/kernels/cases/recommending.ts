import { maskItems } from '../../../src/kernels/catalogue.ts';
import { normalize } from '../../../src/kernels/normalize.ts';
import { logitOf } from '../../../src/kernels/pairs.ts';
import { candidateKeys, NO_CANDIDATE } from '../../../src/kernels/rank.ts';
import { normalize as normalizeReference } from '../../../test/reference/normalize.ts';
import { type Case, type Sizes, single, times } from '../case.ts';

/** Users scored together. */
const USERS = 16;
/** Items that a first stage hands to the second, for each user. */
const RETRIEVED = 1000;

/** What recommending adds to full ranking: items left out for everybody, a second stage, cosines. */
export function recommendingCases({ items, gmfDim, mlpDim }: Sizes): Case[] {
  const scores = USERS * items;
  const pairs = USERS * RETRIEVED;
  const table = { rows: items, dim: gmfDim + mlpDim };
  return [
    single('mask_items', times(USERS, items), { bytes: 4 * (items + scores / 2) }, (trial) => {
      const [keys, allowed] = [trial.draws.ids(scores, 2 ** 32), trial.draws.ids(items, 2)];
      const expected = keys.map((key, i) => (allowed[i % items] ? key : 0));
      const views = { allowed: trial.input(allowed), keys: trial.inPlace('keys', keys, expected) };
      maskItems(trial.plan, views, { users: USERS, items, tested: USERS });
    }),
    single('candidate_keys', times(USERS, RETRIEVED), { bytes: 12 * pairs }, (trial) => {
      const [candidates, logits] = [trial.draws.ids(pairs, items), trial.draws.vector(pairs)];
      const keys = trial.scratch(pairs);
      candidates[RETRIEVED - 1] = NO_CANDIDATE;
      const expected = logits.map((logit, i) => (candidates[i] === NO_CANDIDATE ? 0 : logit));
      const read = (key: number, i: number) => (candidates[i] === NO_CANDIDATE ? key : logitOf(key));
      trial.expect('logits', async () => Float64Array.from(await trial.integers(keys), read), expected);
      const views = { step: trial.input(Uint32Array.of(0)), candidates: trial.input(candidates) };
      const size = { chunk: USERS, width: RETRIEVED, tested: USERS };
      candidateKeys(trial.plan, { ...views, logits: trial.input(logits), keys }, size);
    }),
    single('normalize', times(table.rows, table.dim), { bytes: 8 * table.rows * table.dim }, (trial) => {
      const x = trial.draws.vector(table.rows * table.dim);
      const y = trial.output('y', normalizeReference(x, table.dim), new Float64Array(x.length).fill(1));
      normalize(trial.plan, trial.input(x), y, table);
    }),
  ];
}
