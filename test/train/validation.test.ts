import { beforeAll, describe, expect, it } from 'vitest';
import { drawValidation } from '../../src/data/validation.ts';
import { ConfigError } from '../../src/errors.ts';
import { bestEpoch, type EpochEvent } from '../../src/train/history.ts';
import { resolveSettings, splitOptions, type TrainSettings } from '../../src/train/settings.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, LESSON_LIKE, splitOf, TINY, trained } from './fixture.ts';

const on = useGpu();
const SPLIT = drawValidation(GROUPS, 1);
const VALIDATED = { ...LESSON_LIKE, validation: true } as const;

describe('with validation items', () => {
  let trainer: Trainer;
  let bests: [epoch: number, sha: string][];

  // The rate is so high that the last epoch is not the best one.
  beforeAll(async () => {
    trainer = await Trainer.create(on.gpu, SPLIT, { ...VALIDATED, lr: 0.1, epochs: 6 });
    bests = [];
    for await (const { epoch } of trainer) {
      if (bestEpoch(trainer.history)!.epoch === epoch) bests.push([epoch, await trainer.weightsSha256()]);
      expect(trainer.best, 'while the run goes on').toEqual(bestEpoch(trainer.history));
    }
  });

  it('epochs have figures on these, and none on the test items', () => {
    for (const event of trainer.history) {
      expect(event.validation).toMatchObject({ 'hr@10': expect.any(Number), 'ndcg@10': expect.any(Number) });
      expect(Object.keys(event)).not.toContain('hr@10');
    }
  });

  it('the run ends with the weights of the best epoch, and its figures on the test items', async () => {
    const [epoch, sha] = bests.at(-1)!;
    expect(epoch).toBeLessThan(6);
    expect(await trainer.weightsSha256()).toBe(sha);
    expect(trainer.best).toEqual({
      epoch,
      chosenOn: 'validation items',
      validation: trainer.history[epoch - 1]!.validation,
      ...(await trainer.evaluate()),
    });
    expect(await trainer.validation!.metrics()).toEqual(trainer.best!.validation);
    const alone = await trained(on.gpu, { ...VALIDATED, lr: 0.1, epochs: epoch }, {}, SPLIT);
    expect(await alone.weightsSha256(), 'a run that ends with that epoch').toBe(sha);
  });

  it('they are ranked among items that the user never took, others than those of the test', async () => {
    const split = { ...SPLIT, items: 400 };
    const wide = await Trainer.create(on.gpu, split, { ...TINY, eval: 'loo', validation: true });
    const [validation, test] = [wide.validation!.candidates!, wide.evaluation!.candidates!];
    const { offsets, items } = split.train;
    const row = (from: Uint32Array, i: number) => [...from.subarray(100 * i, 100 * i + 100)];
    validation.users.forEach((user, i) => {
      const [heldOut, ...negatives] = row(validation.items, i);
      expect(heldOut).toBe(split.validation!.items[i]);
      const taken = [heldOut!, split.test.items[user]!, ...items.subarray(offsets[user], offsets[user + 1])];
      expect(new Set([...negatives, ...taken]).size).toBe(99 + taken.length);
      const shared = row(test.items, user).filter((item) => negatives.includes(item));
      expect(shared.length, 'a quarter of 99 by chance').toBeLessThan(50);
    });
  });

  it('patience ends the run after as many evaluations without a better one', async () => {
    const { history } = await trained(on.gpu, { ...VALIDATED, lr: 0.1, epochs: 30, patience: 2 }, {}, SPLIT);
    const best = bestEpoch(history)!.epoch;
    expect(history).toHaveLength(best + 2);
    expect(history.slice(0, 6).map(({ validation }) => validation)).toEqual(
      trainer.history.slice(0, history.length).map(({ validation }) => validation),
    );
  });
});

it('every epoch tells its rate, and the rate is what it trains with', async () => {
  const settings = { ...LESSON_LIKE, epochs: 4 };
  const rates = ({ history }: { history: readonly EpochEvent[] }) => history.map(({ lr }) => lr);
  const stepped = await trained(on.gpu, { ...settings, schedule: 'step', scheduleStep: 2, warmUp: 1 });
  expect(rates(stepped)).toEqual([0.005, 0.01, 0.01, 0.005]);
  // The third epoch's rate is that of the second, so a run that never lowers it has the same losses until then.
  const level = await trained(on.gpu, { ...settings, warmUp: 1 });
  expect(rates(level)).toEqual([0.005, 0.01, 0.01, 0.01]);
  const losses = [stepped, level].map(({ history }) => history.map(({ loss }) => loss));
  expect(losses[0]!.slice(0, 3)).toEqual(losses[1]!.slice(0, 3));
  expect(losses[0]![3]).not.toBe(losses[1]![3]);
  // A rate of nothing in the last epoch leaves all as it was.
  const dead = { ...settings, schedule: 'step', scheduleStep: 3, scheduleFactor: 1e-30, batchNorm: false } as const;
  const still = await trained(on.gpu, dead);
  const before = await trained(on.gpu, { ...dead, epochs: 3 });
  expect(await still.weightsSha256()).toBe(await before.weightsSha256());
});

it.each<[string, Partial<TrainSettings>]>([
  ['deferred Adam', {}],
  ['plain Adam', { gmfDim: 3, mlpDim: 3 }],
  ['gradient descent', { optimizer: 'sgd' }],
])('with %s a falling rate gives the same bits with any number of steps in a submit', async (_, given) => {
  const settings = { ...VALIDATED, ...given, schedule: 'step', scheduleStep: 1, epochs: 3 } as const;
  const [one, many] = await Promise.all(
    [1, 64].map((stepsPerSubmit) => trained(on.gpu, settings, { stepsPerSubmit }, SPLIT)),
  );
  expect(await one!.weightsSha256()).toBe(await many!.weightsSha256());
});

describe('validation is refused', () => {
  it('without validation items in the split', async () => {
    const creation = Trainer.create(on.gpu, GROUPS, { ...TINY, eval: 'loo', validation: true });
    await expect(creation).rejects.toThrow(
      new ConfigError('validation: the split has no validation items; loadDataset with validation holds some out'),
    );
  });

  it('when nobody has interactions enough', async () => {
    const pairs = [0, 1, 2].flatMap((user): [number, number][] => [
      [user, user],
      [user, user + 1],
    ]);
    const split = drawValidation(splitOf(pairs, 3, 9), 1);
    const creation = Trainer.create(on.gpu, split, { ...TINY, eval: 'loo', validation: true });
    await expect(creation).rejects.toThrow(
      new ConfigError(
        'validation: no user has interactions enough for a validation item; no validation would be right',
      ),
    );
  });
});

it('a run’s data is split by the seed of its evaluation, so that runs with other seeds have the same validation items', () => {
  expect(splitOptions(resolveSettings({ seed: 1, evalSeed: 2, validation: true }))).toEqual({
    validation: true,
    seed: 2,
  });
  expect(splitOptions(resolveSettings({ seed: 3 }))).toEqual({ validation: false, seed: 3 });
});
