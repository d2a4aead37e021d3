import type { Clock } from '../autograd/clock.ts';
import { record, tensor } from '../autograd/tape.ts';
import type { Split } from '../data/split.ts';
import type { Plan } from '../gpu/plan.ts';
import type { Model } from '../models/model.ts';
import { RowAdam } from '../optim/row-adam.ts';
import { fusedStep } from './fused-step.ts';
import { logPopularity } from './log-popularity.ts';
import type { BatchSampler } from './sampler.ts';
import type { TrainSettings } from './settings.ts';
import { type Optimizer, trainingStep } from './step.ts';

/** The step of a full batch, and that of the last batch of an epoch. */
export interface Steps {
  readonly full: Plan;
  readonly last: Plan;
}

/** An epoch's steps, and the same with negatives drawn hard where they are at some time. */
export interface RecordedSteps {
  readonly usual: Steps;
  readonly hard: Steps | null;
}

export interface StepParts {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly clock: Clock;
  readonly sampler: BatchSampler;
  readonly split: Split;
  readonly settings: TrainSettings;
}

/** Records the training steps that the settings ask for, sampling included. */
export function recordSteps({ model, optimizer, clock, sampler, split, settings }: StepParts): RecordedSteps {
  const { gpu } = model.parameters;
  const { clipNorm, seed, loss, temperature } = settings;
  const softmax =
    loss === 'in-batch-softmax'
      ? { logQ: tensor(gpu, logPopularity(split), { label: 'log popularity' }), temperature }
      : undefined;
  const step = (rows: number, hard: boolean) =>
    record(gpu, 'training step', () => {
      const batch = sampler.draw(clock, rows, hard ? model.scoring() : undefined);
      const options = { model, clock, clipNorm, dropout: { seed, step: clock.step }, softmax };
      if (optimizer instanceof RowAdam) fusedStep(batch, { ...options, optimizer });
      else trainingStep(batch, { ...options, optimizer });
    });
  const steps = (hard: boolean): Steps => {
    const [rows, rest] = [sampler.rows(0), sampler.rows(sampler.batches - 1)];
    const full = step(rows, hard);
    return { full, last: rest === rows ? full : step(rest, hard) };
  };
  return { usual: steps(false), hard: settings.sampler === 'hard' ? steps(true) : null };
}
