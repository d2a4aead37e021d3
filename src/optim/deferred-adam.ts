import type { Clock } from '../autograd/clock.ts';
import type { Parameters } from '../autograd/parameters.ts';
import type { Tables } from '../autograd/tables.ts';
import { record, tapeOf } from '../autograd/tape.ts';
import type { Plan } from '../gpu/plan.ts';
import { adamSettle, stampRows } from '../kernels/adam-rows.ts';
import type { AdamOptions } from './adam.ts';
import { RowAdam } from './row-adam.ts';

/**
 * Adam that leaves the rows of embedding tables alone until a batch looks them up. Then they take all the steps that they
 * have missed, one after the other in registers, which costs no memory traffic and gives the bits that Adam gives: it is
 * dense Adam, not the lazy one, also with weight decay.
 *
 * Between steps the tables and their moments are behind: `settle` brings them up to date, and reading or writing a table
 * does so by itself.
 */
export class DeferredAdam extends RowAdam {
  protected readonly catchesUp = true;
  readonly #settling: Plan;

  constructor(parameters: Parameters, clock: Clock, tables: Tables, options: AdamOptions = {}) {
    super(parameters, clock, tables, options);
    parameters.settle = (plan) => this.#settleInto(plan);
    parameters.catchUp = (users, items) => {
      if (!this.catchUpRows(users, items)) this.#settleInto(tapeOf(parameters.gpu).plan);
    };
    this.#settling = record(parameters.gpu, 'settle', ({ plan }) => this.#settleInto(plan));
    for (const { table } of this.placed) table.beforeAccess = () => this.settle();
  }

  /** Brings all tables up to date, once what was submitted before is done. */
  settle(): void {
    this.#settling.run();
  }

  override setLearningRate(lr: number): void {
    this.settle(); // missed steps are taken at the rate of their time
    super.setLearningRate(lr);
  }

  #settleInto(plan: Plan): void {
    const shared = { slots: this.slots.view, step: this.clock.step.view, hyper: this.hyper.view };
    for (const { table, slot } of this.placed) {
      for (const stretch of this.parameters.stretchesOf(table.label)) {
        const size = { rows: stretch.rows, dim: table.shape[1]! / 4, slot: slot + stretch.first };
        adamSettle(plan, { ...this.stateAt(stretch), ...shared }, size);
      }
    }
    stampRows(plan, shared, this.slots.shape[0]!);
  }
}
