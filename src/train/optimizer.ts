import type { Clock } from '../autograd/clock.ts';
import type { Model } from '../models/model.ts';
import { Adam } from '../optim/adam.ts';
import { DeferredAdam } from '../optim/deferred-adam.ts';
import { LazyAdam } from '../optim/lazy-adam.ts';
import { Sgd } from '../optim/sgd.ts';
import type { TrainSettings } from './settings.ts';

/** The optimizer that the settings ask for; Adam is deferred where the tables allow it. */
export function newOptimizer({ parameters, tables }: Model, clock: Clock, settings: TrainSettings): Adam | Sgd {
  const { optimizer, momentum, lr, weightDecay, weightDecayTables, weightDecayBiases } = settings;
  const options = { lr, weightDecay, weightDecayTables, weightDecayBiases };
  if (optimizer === 'sgd') return new Sgd(parameters, { ...options, momentum });
  if (optimizer === 'lazy-adam') return new LazyAdam(parameters, clock, tables, options);
  if (DeferredAdam.fits(tables)) return new DeferredAdam(parameters, clock, tables, options);
  return new Adam(parameters, clock, options);
}
