import { describe, expect, it } from 'vitest';
import { easeScorer } from '../../src/baselines/ease.ts';
import { itemKnnScorer } from '../../src/baselines/item-knn.ts';
import { ranksBy } from '../../src/baselines/ranks.ts';
import { drawValidation } from '../../src/data/validation.ts';
import { ConfigError } from '../../src/errors.ts';
import { FITTED_BASELINES } from '../../src/train/fitted-baselines.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { TINY, tasteGroups } from './fixture.ts';

const on = useGpu();
// More interactions than GROUPS has, so that MF, whose settings are those for real data, has steps to learn in.
const split = tasteGroups({ users: 200, items: 80, groups: 5, perUser: 12 });
const newTrainer = (settings: Partial<TrainSettings> = {}) =>
  Trainer.create(on.gpu, split, { ...TINY, eval: 'both', ...settings });
const baseline = (name: string) => FITTED_BASELINES.find((one) => one.name === name)!;

describe('fitted baselines', () => {
  it('item-kNN and EASE are their scorers under the trainer’s protocols', async () => {
    const trainer = await newTrainer();
    const evaluation = trainer.evaluation!;
    const expected = async (scorer: typeof easeScorer | typeof itemKnnScorer) => ({
      test: evaluation.metricsOf(ranksBy(evaluation, await scorer(split))),
      validation: null,
    });
    expect(await baseline('item-kNN').evaluate(trainer)).toEqual(await expected(itemKnnScorer));
    expect(await baseline('EASE').evaluate(trainer)).toEqual(await expected(easeScorer));
  });

  it('MF learns, gives the same for the same seed, and leaves the trainer as it is', async () => {
    const [trainer, again] = [await newTrainer({ seed: 3 }), await newTrainer({ seed: 3 })];
    const before = await trainer.weightsSha256();
    const shares: number[] = [];
    const mf = await baseline('MF').evaluate(trainer, { onProgress: (share) => shares.push(share) });
    expect(mf.test.full!['hr@10']).toBeGreaterThan(trainer.baselines().popularity.full!['hr@10'] + 0.1);
    expect(await baseline('MF').evaluate(again)).toEqual(mf);
    expect(await trainer.weightsSha256()).toBe(before);
    expect(shares).toEqual(shares.filter((share) => share > 0 && share <= 1).sort((a, b) => a - b));
  });

  it('have figures on the validation items too, where the trainer evaluates those', async () => {
    const held = drawValidation(split, 1);
    const trainer = await Trainer.create(on.gpu, held, { ...TINY, eval: 'full', validation: true });
    for (const { name, evaluate } of FITTED_BASELINES) {
      const { test, validation } = await evaluate(trainer);
      expect(Object.keys(validation!), name).toEqual(Object.keys(test));
      expect(validation, name).not.toEqual(test);
    }
  });

  it.each(FITTED_BASELINES)('$name ends with the signal’s reason when it is stopped', async ({ evaluate }) => {
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(evaluate(await newTrainer(), { signal })).rejects.toThrow('stopped');
  });

  it.each(FITTED_BASELINES)('$name is refused where nothing is evaluated', async ({ evaluate }) => {
    const refused = evaluate(await newTrainer({ eval: 'none' }));
    await expect(refused).rejects.toThrow('baselines with eval none');
    await expect(refused).rejects.toThrow(ConfigError);
  });
});
