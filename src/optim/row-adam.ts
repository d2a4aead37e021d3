import type { Clock } from '../autograd/clock.ts';
import { aligned, type Parameters } from '../autograd/parameters.ts';
import type { Branch, Rows, Tables } from '../autograd/tables.ts';
import { tapeOf, tensorView, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ConfigError } from '../errors.ts';
import { adamGather, adamScatter, type RowParams, rowNorm, walkOf } from '../kernels/adam-rows.ts';
import { groupByRow, groupsLength } from '../kernels/group.ts';
import type { View } from '../kernels/launch.ts';
import { Adam, type AdamOptions } from './adam.ts';
import { arenaNorms, clipFrom } from './clip.ts';

/** What `gather` leaves for `step`. */
interface Gathered {
  readonly grouped: Record<'groups' | 'slots', View>;
  readonly gradients: Tensor;
  readonly parts: readonly Part[];
  readonly whole: Pick<RowParams, 'split' | 'dim_a' | 'dim_b' | 'x'>;
  readonly byRows: boolean;
  /** Whether the rows' gradients are added up already. */
  readonly summed: boolean;
}

/** A dispatch's tables: a stretch of the arenas, and where they lie in it. */
interface Part {
  readonly range: { readonly offset: number; readonly size: number };
  readonly params: RowParams;
}

/**
 * Adam that touches only those rows of embedding tables that a batch looks up; all other parameters take every step. A
 * step looks rows up by `gather`, and updates by `step` what the backward pass left for them. A table's gradient is summed
 * where it is used and stored nowhere. What becomes of the steps that a row misses in between is for those to say who
 * extend this: DeferredAdam makes up for them, LazyAdam does not.
 */
export abstract class RowAdam extends Adam {
  /** All tables, each with the place of its first row in the slots. */
  protected readonly placed: readonly { readonly table: Tensor; readonly slot: number }[];
  /** u32[users + items, 4]: of each row what group_sort notes, first of all the steps up to the last that it was in. */
  protected readonly slots: Tensor;
  /** The tables' hyper-parameters: they come first in the arena, and so in the first group. */
  protected readonly hyper: Tensor;
  /** Whether rows take the steps that they have missed when they are looked up. */
  protected abstract readonly catchesUp: boolean;
  readonly #tables: Tables;
  readonly #users: number;
  readonly #heads: Tensor;
  /** The arena's elements from here on are no tables'. */
  readonly #rest: number;
  /** (norm, factor): the head of the hyper-parameters, where adam_scatter reads it. */
  readonly #clip: Tensor;
  #gathered: Gathered | null = null;

  /** Whether the tables' rows are made of whole vectors, which the kernels want. */
  static fits({ gmf, mlp }: Tables): boolean {
    return [gmf, mlp].every((branch) => !branch || branch.users.shape[1]! % 4 === 0);
  }

  /** @param tables the first tensors of the arena, in any order. Throws ConfigError when they are not or do not fit. */
  constructor(parameters: Parameters, clock: Clock, tables: Tables, options: AdamOptions = {}) {
    super(parameters, clock, options);
    const branches = [tables.gmf, tables.mlp].filter((branch) => branch !== null);
    if (!RowAdam.fits(tables)) {
      const dims = branches.map(({ users }) => users.shape[1]).join(' and ');
      throw new ConfigError(`embeddings of ${dims} dimensions, updated row by row: multiples of 4 would be right`);
    }
    const all = branches.flatMap(({ users, items }) => [users, items]);
    const end = Math.max(...all.map(({ view, size }) => view.offset! / 4 + aligned(size)));
    const length = all.reduce((sum, { size }) => sum + aligned(size), 0);
    if (end !== length) throw new ConfigError('the tables are not the first parameters');
    const { gpu } = parameters;
    const [users, items] = [branches[0]!.users.shape[0]!, branches[0]!.items.shape[0]!];
    this.placed = all.map((table, i) => ({ table, slot: i % 2 === 0 ? 0 : users }));
    this.slots = zeros(gpu, [users + items, 4], { dtype: 'u32', label: 'slots' });
    this.hyper = this.groups[0]!.hyper;
    this.#tables = tables;
    this.#users = users;
    this.#heads = zeros(gpu, [users + items], { dtype: 'u32', label: 'heads' });
    this.#rest = end;
    this.#clip = tensorView(gpu, { ...this.hyper.view, size: 8 }, [2], { label: 'norm and clip factor' });
  }

  /** Appends the look-up of a batch's rows: users and items u32[rows]. Their gradients are kept for `step`. */
  gather(users: Tensor, items: Tensor): Rows {
    const { gpu } = this.parameters;
    const { plan } = tapeOf(gpu);
    const rows = users.size;
    const { whole, byRows } = this.#pairs(rows);
    const grouped = this.#group(users, items, { present: true });
    const parts = this.#parts(whole, byRows);
    const { dim_a: a, dim_b: b, x } = whole;
    const lookedUp = zeros(gpu, [4 * (x + 2 * rows * b)], { label: 'rows of the batch' });
    const gradients = zeros(gpu, [lookedUp.size], { label: 'gradients of the rows' });
    const shared = { ...grouped, step: this.clock.step.view, hyper: this.hyper.view, out: lookedUp.view };
    const { catchesUp } = this;
    for (const { range, params } of parts) {
      adamGather(plan, { ...this.stateAt(range), ...shared }, params, { byRows, catchUp: catchesUp });
    }
    this.#gathered = { grouped, gradients, parts, whole, byRows, summed: false };
    const part = (offset: number, shape: readonly [number, number], label: string) => {
      const range = { offset: 16 * offset, size: 4 * shape[0] * shape[1] };
      const tensor = tensorView(gpu, { ...lookedUp.view, ...range }, shape, { label, requiresGrad: true });
      tensor.gradStorage = tensorView(gpu, { ...gradients.view, ...range }, shape, { label: `gradient of ${label}` });
      return tensor;
    };
    return {
      gmf: this.#tables.gmf && part(0, [2 * rows, 4 * a], 'rows of GMF'),
      mlp: this.#tables.mlp && part(x, [rows, 8 * b], 'rows of the MLP'),
    };
  }

  /**
   * Appends the missed steps of the rows of some pairs, users and items u32[pairs], which the batch may look up as well
   * afterwards. Does nothing, and gives false, when they would be most rows.
   */
  protected catchUpRows(users: Tensor, items: Tensor): boolean {
    const { whole, byRows } = this.#pairs(users.size);
    if (byRows) return false;
    const { gpu } = this.parameters;
    const grouped = this.#group(users, items, { present: false });
    const shared = { ...grouped, step: this.clock.step.view, hyper: this.hyper.view, out: gpu.unused };
    for (const { range, params } of this.#parts(whole, byRows)) {
      const variant = { byRows, catchUp: true, lookUp: false };
      adamGather(tapeOf(gpu).plan, { ...this.stateAt(range), ...shared }, params, variant);
    }
    return true;
  }

  /** What so many pairs look up, and how threads walk over it. */
  #pairs(rows: number) {
    const { gmf, mlp } = this.#tables;
    const [a, b] = [dimOf(gmf), dimOf(mlp)];
    const x = aligned(4 * 2 * rows * a) / 4; // vectors
    const { byRows, lanes } = walkOf(this.parameters.gpu, 2 * rows, this.slots.shape[0]!, a + b);
    return { whole: { ...NOWHERE, lanes, split: rows, offset: this.#users, dim_a: a, dim_b: b, x }, byRows };
  }

  /** Groups the positions of pairs by row. @param present whether the rows then count as having had the present step */
  #group(users: Tensor, items: Tensor, { present }: { readonly present: boolean }): Gathered['grouped'] {
    const tape = tapeOf(this.parameters.gpu);
    const rows = users.size;
    const groups = zeros(this.parameters.gpu, [groupsLength(2 * rows)], { dtype: 'u32', label: 'groups' });
    const scratch = (length: number, label: string) => tape.scratch(length, label).view;
    const buffers = {
      head: this.#heads.view,
      next: scratch(2 * rows, 'next'),
      groups: groups.view,
      total: scratch(1, 'total'),
      slots: this.slots.view,
    };
    const ids = { left: users.view, right: items.view, n: 2 * rows, split: rows, offset: this.#users };
    groupByRow(tape.plan, ids, buffers, this.clock.step.view, { present });
    return { groups: groups.view, slots: this.slots.view };
  }

  /** As clipGradNorm, of all gradients: those of the rows and those of the other parameters. `step` clips by it. */
  clipGradNorm(maxNorm: number | null): Tensor {
    const gathered = this.#lookedUp();
    const { gpu } = this.parameters;
    const { plan } = tapeOf(gpu);
    const ofRows = (partial: View) =>
      rowNorm(plan, { ...gathered.grouped, dy: gathered.gradients.view, partial }, gathered.whole);
    this.#gathered = { ...gathered, summed: true };
    return clipFrom([ofRows, ...arenaNorms(this.parameters, this.#rest)], maxNorm, this.#clip);
  }

  /** Appends the update of the rows that were gathered, and of all other parameters. */
  override step(): void {
    const { grouped, gradients, parts, byRows, summed } = this.#lookedUp();
    const { plan } = tapeOf(this.parameters.gpu);
    const shared = { ...grouped, dy: gradients.view, step: this.clock.step.view, hyper: this.hyper.view };
    for (const { range, params } of parts) {
      adamScatter(plan, { ...this.stateAt(range), ...shared }, params, { byRows, summed });
    }
    this.#gathered = null;
    this.update(this.#clip, this.#rest);
  }

  /** Sets the clock to a number of steps after which no row is behind: those of a checkpoint. */
  setSteps(steps: number): void {
    this.clock.set(steps);
    this.slots.write(Uint32Array.from({ length: this.slots.size }, (_, i) => (i % 4 === 0 ? steps : 0)));
  }

  #lookedUp(): Gathered {
    if (!this.#gathered) throw new ConfigError('step() without gather(), so that there are no gradients');
    return this.#gathered;
  }

  /** All tables in one dispatch where the adapter can bind them together, otherwise one dispatch a table. */
  #parts(whole: Omit<RowParams, 'first' | 'count'>, byRows: boolean): Part[] {
    const { gmf, mlp } = this.#tables;
    const rows = whole.split;
    if (4 * this.#rest <= this.parameters.gpu.limits.maxStorageBufferBindingSize) {
      const place = (table: Tensor | undefined) => (table ? table.view.offset! / 16 : 0);
      const places = {
        user_a: place(gmf?.users),
        item_a: place(gmf?.items),
        user_b: place(mlp?.users),
        item_b: place(mlp?.items),
      };
      const all = { first: 0, count: byRows ? this.slots.shape[0]! : 2 * rows };
      return [{ range: { offset: 0, size: 4 * this.#rest }, params: { ...whole, ...places, ...all } }];
    }
    return [
      { branch: gmf, dims: { dim_b: 0 } },
      { branch: mlp, dims: { dim_a: 0 } },
    ].flatMap(({ branch, dims }) =>
      branch === null
        ? []
        : [branch.users, branch.items].map((table, side) => {
            const own = byRows
              ? { first: side * this.#users, count: table.shape[0]! }
              : { first: side * rows, count: rows };
            return { range: rangeOf(table), params: { ...whole, ...dims, ...own } };
          }),
    );
  }
}

const NOWHERE = { first: 0, user_a: 0, item_a: 0, user_b: 0, item_b: 0 };

const dimOf = (branch: Branch | null) => (branch ? branch.users.shape[1]! / 4 : 0);
/** A table's bytes in the arenas. */
export const rangeOf = ({ view, size }: Tensor) => ({ offset: view.offset!, size: 4 * size });
