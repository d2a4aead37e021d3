import type { Clock } from '../autograd/clock.ts';
import type { Shape } from '../autograd/tensor.ts';
import type { Model } from '../models/model.ts';
import { Adam } from '../optim/adam.ts';
import { DeferredAdam } from '../optim/deferred-adam.ts';
import { LazyAdam } from '../optim/lazy-adam.ts';
import { RowAdam } from '../optim/row-adam.ts';
import { Sgd } from '../optim/sgd.ts';
import type { TrainSettings } from './settings.ts';

/** Whether the optimizer updates tables of these shapes row by row, and keeps no gradients of theirs. */
export function updatesRows(
  { optimizer }: Pick<TrainSettings, 'optimizer'>,
  tables: readonly { readonly shape: Shape }[],
): boolean {
  return optimizer === 'lazy-adam' || (optimizer === 'adam' && RowAdam.fits(tables));
}

/** The optimizer that the settings ask for; Adam is deferred where the tables allow it. */
export function newOptimizer({ parameters, tables }: Model, clock: Clock, settings: TrainSettings): Adam | Sgd {
  const { optimizer, momentum, lr, weightDecay, weightDecayTables, weightDecayBiases } = settings;
  const options = { lr, weightDecay, weightDecayTables, weightDecayBiases };
  if (optimizer === 'sgd') return new Sgd(parameters, { ...options, momentum });
  if (optimizer === 'lazy-adam') return new LazyAdam(parameters, clock, tables, options);
  if (
    updatesRows(
      settings,
      parameters.specs.filter(({ table }) => table),
    )
  )
    return new DeferredAdam(parameters, clock, tables, options);
  return new Adam(parameters, clock, options);
}
