import { Clock } from '../../src/autograd/clock.ts';
import { record } from '../../src/autograd/tape.ts';
import type { Split } from '../../src/data/split.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { Plan } from '../../src/gpu/plan.ts';
import { Model } from '../../src/models/model.ts';
import { Adam } from '../../src/optim/adam.ts';
import { DeferredAdam } from '../../src/optim/deferred-adam.ts';
import { fusedStep } from '../../src/train/fused-step.ts';
import { BatchSampler } from '../../src/train/sampler.ts';
import { modelConfig, resolveSettings, type TrainSettings } from '../../src/train/settings.ts';
import { trainingStep } from '../../src/train/step.ts';

export type Kind = 'fused' | 'plain';

/**
 * A training step of a preset on a split, sampling included, recorded but not compiled.
 * @param done steps that count as taken before: as many as a row waits for on average until a batch looks at it, so that
 *   deferred Adam is from the start as far behind as it is in the long run
 */
export function recorded(gpu: Gpu, split: Split, given: Partial<TrainSettings>, kind: Kind, done = 0): Plan {
  const settings = resolveSettings({ ...given, eval: 'none', schedule: 'constant' });
  const { seed, clipNorm, lr, weightDecay } = settings;
  const config = modelConfig(settings, split.users, split.items);
  const model = new Model(gpu, config, seed);
  const sampler = new BatchSampler(gpu, split, settings, config.batchNorm);
  const clock = new Clock(gpu, sampler.batches);
  clock.set(done);
  const optimizer =
    kind === 'fused'
      ? new DeferredAdam(model.parameters, clock, model.tables, { lr, weightDecay })
      : new Adam(model.parameters, clock, { lr, weightDecay });
  return record(gpu, `${kind} step`, () => {
    const batch = sampler.draw(clock, sampler.rows(0));
    const options = { model, clock, clipNorm, dropout: { seed, step: clock.step } };
    if (optimizer instanceof DeferredAdam) fusedStep(batch, { ...options, optimizer });
    else trainingStep(batch, { ...options, optimizer });
  });
}
