import { expect, it } from 'vitest';
import { candidates } from '../../src/evaluate/candidates.ts';
import { Evaluation } from '../../src/evaluate/evaluation.ts';
import { FullRanking } from '../../src/evaluate/full-ranking.ts';
import { LeaveOneOut } from '../../src/evaluate/leave-one-out.ts';
import { hitRate, ndcg } from '../../src/evaluate/metrics.ts';
import { Model } from '../../src/models/model.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, TINY, trained } from '../train/fixture.ts';

const on = useGpu();
const SAMPLED = 'leave-one-out, 68 sampled negatives, ties against the model';
const FULL = 'leave-one-out, all unseen items, ties against the model';

const untrained = () =>
  new Model(on.gpu, {
    ...{ model: 'gmf', users: GROUPS.users, items: GROUPS.items },
    ...{ gmfDim: 4, mlpDim: 4, mlpLayers: [], batchNorm: false, dropout: 0 },
  });

it('gives the metrics of both protocols, each by its own ranks', async () => {
  const model = untrained();
  const evaluation = new Evaluation(on.gpu, model, GROUPS, { eval: 'both', k: [3], seed: 5 });
  const sampled = await new LeaveOneOut(on.gpu, () => model.evaluation(), candidates(GROUPS, 5)).ranks();
  const full = await new FullRanking(on.gpu, model, GROUPS).ranks();
  expect(await evaluation.metrics()).toMatchObject({
    ...{ 'hr@3': hitRate(sampled, 3), 'ndcg@10': ndcg(sampled, 10), auc: expect.any(Number) },
    full: { 'hr@3': hitRate(full, 3), 'ndcg@10': ndcg(full, 10) },
  });
});

it('has the protocols that are asked for, by their names', () => {
  const protocols = (protocol: 'loo' | 'full' | 'both') =>
    new Evaluation(on.gpu, untrained(), GROUPS, { eval: protocol, k: [10], seed: 5 }).protocols;
  expect(protocols('loo')).toEqual({ sampled: SAMPLED });
  expect(protocols('full')).toEqual({ full: FULL });
  expect(protocols('both')).toEqual({ sampled: SAMPLED, full: FULL });
});

it('ranks the baselines of a run under the protocols of its epochs', async () => {
  const settings = { ...TINY, epochs: 1, k: [5] } as const;
  const both = await trained(on.gpu, { ...settings, eval: 'both' });
  const full = await trained(on.gpu, { ...settings, eval: 'full' });
  for (const { history, baselines } of [both, full].map((run) => ({ ...run, baselines: run.baselines() }))) {
    for (const baseline of Object.values(baselines)) {
      expect(Object.keys(history[0]!)).toEqual(expect.arrayContaining(Object.keys(baseline)));
      expect(Object.keys(baseline.full!)).toEqual(Object.keys(history[0]!.full!));
    }
  }
  expect(Object.keys(both.baselines())).toEqual(['random', 'popularity']);
  expect(full.baselines().popularity).toEqual({ full: both.baselines().popularity!.full });
  expect(full.history[0]!.full).toEqual(both.history[0]!.full);
  expect(full.history[0]).not.toHaveProperty('hr@10');
});
