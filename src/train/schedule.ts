import { type EpochEvent, hitRateAt10, judged } from './history.ts';
import type { TrainSettings } from './settings.ts';

export type ScheduleSettings = Pick<
  TrainSettings,
  'epochs' | 'lr' | 'schedule' | 'scheduleFactor' | 'scheduleStep' | 'schedulePatience' | 'scheduleMin' | 'warmUp'
>;

/** As torch.optim.lr_scheduler.ReduceLROnPlateau has them: what counts as better, relatively, and as a reduction. */
const THRESHOLD = 1e-4;
const LEAST_CHANGE = 1e-8;

/**
 * The learning rate of an epoch (torch.optim.lr_scheduler); with e counting the epochs after the warm-up from 0:
 *   warm-up    lr · epoch / (warmUp + 1)                                     LinearLR, in the epochs up to warmUp
 *   constant   lr
 *   step       lr · factor^⌊e / step⌋                                        StepLR
 *   cosine     min + (lr − min)(1 + cos(π e / (epochs − warmUp))) / 2        CosineAnnealingLR
 *   plateau    times factor, down to min at the least, after more than `patience` evaluations whose HR@10 is not
 *              better than the best before                                   ReduceLROnPlateau, mode max
 * It is a function of the settings and of the epochs before, so that a resumed run has the rates of an uninterrupted one.
 * @param epoch 1 for the first
 * @param history at least the events of the epochs before
 */
export function learningRate(settings: ScheduleSettings, epoch: number, history: readonly EpochEvent[]): number {
  const { lr, schedule, scheduleFactor, scheduleStep, scheduleMin, epochs, warmUp } = settings;
  if (epoch <= warmUp) return (lr * epoch) / (warmUp + 1);
  const e = epoch - warmUp - 1;
  switch (schedule) {
    case 'constant':
      return lr;
    case 'step':
      return lr * scheduleFactor ** Math.floor(e / scheduleStep);
    case 'cosine':
      return scheduleMin + ((lr - scheduleMin) * (1 + Math.cos((Math.PI * e) / (epochs - warmUp)))) / 2;
    case 'plateau':
      return plateau(
        settings,
        history.filter((before) => before.epoch > warmUp && before.epoch < epoch),
      );
  }
}

function plateau(settings: ScheduleSettings, history: readonly EpochEvent[]): number {
  const { scheduleFactor, schedulePatience, scheduleMin } = settings;
  let { lr } = settings;
  let best = Number.NEGATIVE_INFINITY;
  let bad = 0;
  for (const event of history) {
    const hr = hitRateAt10(judged(event));
    if (hr === undefined) continue;
    if (hr > best * (1 + THRESHOLD)) {
      best = hr;
      bad = 0;
    } else bad++;
    if (bad <= schedulePatience) continue;
    bad = 0;
    const lower = Math.max(lr * scheduleFactor, scheduleMin);
    if (lr - lower > LEAST_CHANGE) lr = lower;
  }
  return lr;
}
