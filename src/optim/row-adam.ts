import { aligned, type Stretch } from '../autograd/arena.ts';
import type { Clock } from '../autograd/clock.ts';
import type { Parameters } from '../autograd/parameters.ts';
import type { Branch, Rows, Tables } from '../autograd/tables.ts';
import { tapeOf, tensorView, zeros } from '../autograd/tape.ts';
import type { Shape, Tensor } from '../autograd/tensor.ts';
import { ConfigError } from '../errors.ts';
import { checkBindable } from '../gpu/limits.ts';
import { adamGather, adamScatter, type RowParams, rowNorm, walkOf } from '../kernels/adam-rows.ts';
import { groupByRow, groupsLength } from '../kernels/group.ts';
import type { View } from '../kernels/launch.ts';
import { Adam, type AdamOptions } from './adam.ts';
import { clipFrom, gradientsFrom } from './clip.ts';

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
  readonly stretch: Stretch;
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
  static fits(tables: readonly { readonly shape: Shape }[]): boolean {
    return tables.every(({ shape }) => shape[1]! % 4 === 0);
  }

  /** @param tables the first tensors of the arena, in any order. Throws ConfigError when they are not or do not fit. */
  constructor(parameters: Parameters, clock: Clock, tables: Tables, options: AdamOptions = {}) {
    super(parameters, clock, options);
    const branches = [tables.gmf, tables.mlp].filter((branch) => branch !== null);
    const all = branches.flatMap(({ users, items }) => [users, items]);
    if (!RowAdam.fits(all)) {
      const dims = branches.map(({ users }) => users.shape[1]).join(' and ');
      throw new ConfigError(`embeddings of ${dims} dimensions, updated row by row: multiples of 4 would be right`);
    }
    const ends = all.map(({ label }) => aligned(parameters.stretchesOf(label).at(-1)!.to));
    const end = Math.max(...ends);
    const length = all.reduce((sum, { size }) => sum + aligned(size), 0);
    if (end !== length) throw new ConfigError('the tables are not the first parameters');
    parameters.leaveOutTableGradients();
    const { gpu } = parameters;
    const [users, items] = [branches[0]!.users.shape[0]!, branches[0]!.items.shape[0]!];
    checkBindable(gpu, `what Adam notes of ${users} users and ${items} items`, 16 * (users + items));
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
    for (const { stretch, params } of parts) {
      adamGather(plan, { ...this.stateAt(stretch), ...shared }, params, { byRows, catchUp: catchesUp });
    }
    this.#gathered = { grouped, gradients, parts, whole, byRows, summed: false };
    const part = (offset: number, shape: readonly [number, number], label: string) => {
      const range = { offset: 16 * offset, size: 4 * shape[0] * shape[1] };
      const tensor = tensorView(gpu, { ...lookedUp.view, ...range }, shape, { label, requiresGrad: true });
      const gradient = tensorView(gpu, { ...gradients.view, ...range }, shape, { label: `gradient of ${label}` });
      tensor.gradStorage = () => gradient;
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
    for (const { stretch, params } of this.#parts(whole, byRows)) {
      const variant = { byRows, catchUp: true, lookUp: false };
      adamGather(tapeOf(gpu).plan, { ...this.stateAt(stretch), ...shared }, params, variant);
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
    const views = { ...gathered.grouped, dy: gathered.gradients.view };
    const others = gradientsFrom(this.parameters, this.#rest);
    this.#gathered = { ...gathered, summed: true };
    return clipFrom((partial) => rowNorm(plan, { ...views, partial }, others, gathered.whole), maxNorm, this.#clip);
  }

  /** Appends the update of the rows that were gathered, and of all other parameters. */
  override step(): void {
    const { grouped, gradients, parts, byRows, summed } = this.#lookedUp();
    const { plan } = tapeOf(this.parameters.gpu);
    const shared = { ...grouped, dy: gradients.view, step: this.clock.step.view, hyper: this.hyper.view };
    for (const { stretch, params } of parts) {
      adamScatter(plan, { ...this.stateAt(stretch), ...shared }, params, { byRows, summed });
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

  /** All tables in one dispatch where they lie in one piece of the arenas, otherwise one dispatch a table or shard. */
  #parts(whole: Omit<RowParams, 'first' | 'count' | 'least' | 'rows'>, byRows: boolean): Part[] {
    const { gmf, mlp } = this.#tables;
    const positions = whole.split;
    const all = this.parameters.stretches(0, this.#rest);
    if (all.length === 1) {
      const place = (table: Tensor | undefined) => {
        return table ? this.parameters.stretchesOf(table.label)[0]!.from / 4 : 0;
      };
      const places = {
        user_a: place(gmf?.users),
        item_a: place(gmf?.items),
        user_b: place(mlp?.users),
        item_b: place(mlp?.items),
      };
      const rows = this.slots.shape[0]!;
      const walk = { first: 0, count: byRows ? rows : 2 * positions, least: 0, rows };
      return [{ stretch: all[0]!, params: { ...whole, ...places, ...walk } }];
    }
    const ofTable = (table: Tensor, side: number, dims: Partial<RowParams>) =>
      this.parameters.stretchesOf(table.label).map(({ first, rows, ...stretch }) => {
        const least = side * this.#users + first;
        const walk = byRows ? { first: least, count: rows } : { first: side * positions, count: positions };
        const place = -first * (table.shape[1]! / 4);
        const places = { user_a: place, item_a: place, user_b: place, item_b: place };
        return { stretch, params: { ...whole, ...dims, ...places, ...walk, least, rows } };
      });
    const ofBranch = (branch: Branch | null, dims: Partial<RowParams>) =>
      branch ? [branch.users, branch.items].flatMap((table, side) => ofTable(table, side, dims)) : [];
    return [...ofBranch(gmf, { dim_b: 0 }), ...ofBranch(mlp, { dim_a: 0 })];
  }
}

const NOWHERE = { user_a: 0, item_a: 0, user_b: 0, item_b: 0 };

const dimOf = (branch: Branch | null) => (branch ? branch.users.shape[1]! / 4 : 0);
