import type { Gpu } from '../gpu/device.ts';
import { checkBindable } from '../gpu/limits.ts';
import type { Plan } from '../gpu/plan.ts';
import { Arena, aligned, cut, type Stretch, withinPieces } from './arena.ts';
import { tensorView } from './tape.ts';
import { elements, type Shape, type Tensor, type TensorOptions } from './tensor.ts';

export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  /** An embedding table, of which batches look up rows. */
  readonly table?: boolean;
  /** A running average: saved with the model, but not trained. */
  readonly buffer?: boolean;
  /** Its values, where they never change: it is neither trained nor saved. */
  readonly constant?: Float32Array<ArrayBuffer>;
  /** A tensor that belongs to someone else: it is read, and not trained here. */
  readonly shared?: Tensor;
  /** Its columns that mean anything, where zeros behind them make a table's rows whole vectors: only they are saved. */
  readonly columns?: number;
}

/** Whether an optimizer moves it. */
export const isTrained = ({ buffer, constant, shared }: ParameterSpec) => !buffer && !constant && !shared;
/** The shape in files: without the columns that only fill a table's rows. */
export const savedShape = ({ shape, columns }: ParameterSpec): Shape =>
  columns === undefined ? shape : [shape[0]!, columns];

/** The kinds of parameters that are often decayed differently, in the order in which they lie in the arena. */
const GROUPS = ['tables', 'weights', 'biases'] as const;
export type ParameterGroup = (typeof GROUPS)[number];

/** Vectors are biases, or BatchNorm's scales and shifts. */
function groupOf({ table, shape }: ParameterSpec): ParameterGroup {
  if (table) return 'tables';
  return shape.length === 1 ? 'biases' : 'weights';
}

/** Rows of a table, and where they lie in an arena. */
export interface TableStretch extends Stretch {
  readonly first: number;
  readonly rows: number;
}

/**
 * A model's trainable tensors as named views of one flat arena, and their gradients likewise, so that one Adam dispatch,
 * one norm and one walk serve them all: first the tables, then the layers' weights, then biases. The padding between
 * tensors stays zero. Running averages and constants stand in a buffer of their own. An arena that no binding holds is in
 * several pieces, and a table then perhaps too.
 */
export class Parameters {
  readonly gpu: Gpu;
  readonly specs: readonly ParameterSpec[];
  /** Elements of an arena, padding included; a multiple of 64. */
  readonly length: number;
  /** Where each group lies in the arena, from one element to another; multiples of 64. */
  readonly groups: readonly (Stretch & { readonly name: ParameterGroup })[];
  readonly weights: Arena;
  /** Appends what brings the weights up to date, where an optimizer puts some of its steps off. */
  settle: ((plan: Plan) => void) | null = null;
  /** As `settle`, of the embeddings of some pairs alone: users and items u32[pairs]. */
  catchUp: ((users: Tensor, items: Tensor) => void) | null = null;
  readonly #tensors = new Map<string, Tensor>();
  /** The first element of those that are trained. */
  readonly #starts = new Map<string, number>();
  readonly #pieces: readonly Stretch[];
  #gradients: Arena | null = null;
  #withTableGradients = true;

  /** Throws ConfigError, with bytes, when what is not a table does not fit the adapter's bindings. */
  constructor(gpu: Gpu, specs: readonly ParameterSpec[]) {
    this.gpu = gpu;
    this.specs = specs;
    for (const { name, shape, table } of specs) {
      if (!table) checkBindable(gpu, `${name} [${shape.join(' × ')}]`, 4 * elements(shape));
    }
    const groups = GROUPS.map((name) => specs.filter((spec) => isTrained(spec) && groupOf(spec) === name));
    const trained = groups.flat();
    const averages = specs.filter((spec) => !isTrained(spec) && !spec.shared);
    this.length = totalLength(trained);
    const ends = GROUPS.map((_, i) => totalLength(groups.slice(0, i + 1).flat()));
    this.groups = GROUPS.map((name, i) => ({ name, from: ends[i - 1] ?? 0, to: ends[i]! }));
    this.#pieces = cut(trained, gpu.bindingLimit);
    this.weights = new Arena(gpu, 'weights', this.#pieces);
    trained.forEach(({ name }, i) => {
      this.#starts.set(name, totalLength(trained.slice(0, i)));
      this.#tensors.set(name, this.#trained(name));
    });
    for (const { name, shape, shared } of specs) {
      if (shared) this.#tensors.set(name, tensorView(gpu, shared.shards, shape, { label: name }));
    }
    const buffer = averages.length ? gpu.createBuffer('not trained', 4 * totalLength(averages)) : null;
    averages.forEach(({ name, shape }, i) => {
      const range = { offset: 4 * totalLength(averages.slice(0, i)), size: 4 * elements(shape) };
      this.#tensors.set(name, tensorView(gpu, { buffer: buffer!, ...range }, shape, { label: name }));
    });
  }

  #trained(name: string): Tensor {
    const tensor = this.tensorIn(this.weights, name, { label: name, requiresGrad: true });
    tensor.gradStorage = () =>
      this.#start(name) < this.#gradientsFrom
        ? null
        : this.tensorIn(this.gradients, name, { label: `gradient of ${name}` });
    return tensor;
  }

  #start(name: string): number {
    const start = this.#starts.get(name);
    if (start === undefined) throw new Error(`${name} is not trained here`);
    return start;
  }

  /** All gradients, or those of all but the tables where an optimizer keeps none of theirs; made when it is asked for. */
  get gradients(): Arena {
    this.#gradients ??= new Arena(this.gpu, 'gradients', this.#pieces, this.#gradientsFrom);
    return this.#gradients;
  }

  get #gradientsFrom(): number {
    return this.#withTableGradients ? 0 : this.groups[0]!.to;
  }

  /** From here on no room is kept for the tables' gradients, if none was taken yet. */
  leaveOutTableGradients(): void {
    this.#withTableGradients = this.#gradients !== null;
  }

  /** An arena of zeros, such as an optimizer keeps. */
  arena(label: string): Arena {
    return new Arena(this.gpu, label, this.#pieces);
  }

  /** What stands in an arena for a parameter that is trained. */
  tensorIn(arena: Arena, name: string, options: TensorOptions = {}): Tensor {
    const { shape } = this.#spec(name);
    const shards = this.stretchesOf(name).map(({ from, to, first, rows }) => {
      return { first, rows, view: arena.view({ from, to }) };
    });
    return tensorView(this.gpu, shards, shape, options);
  }

  /** The rows of a parameter that is trained, by the pieces in which they lie. */
  stretchesOf(name: string): TableStretch[] {
    const { shape } = this.#spec(name);
    const start = this.#start(name);
    const width = elements(shape) / shape[0]!;
    return withinPieces(this.#pieces, { from: start, to: start + elements(shape) }).map(({ from, to }) => {
      return { from, to, first: (from - start) / width, rows: (to - from) / width };
    });
  }

  #spec(name: string): ParameterSpec {
    return this.specs.find((spec) => spec.name === name)!;
  }

  /** Number of trainable values. */
  get count(): number {
    return this.specs.filter(isTrained).reduce((sum, spec) => sum + elements(savedShape(spec)), 0);
  }

  get(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new Error(`there is no parameter ${name}`);
    return tensor;
  }

  /** All tensors by name, in the order of the specs. */
  entries(): [name: string, tensor: Tensor][] {
    return this.specs.map(({ name }) => [name, this.get(name)]);
  }

  /** Forgets the gradients, so that the next backward pass overwrites instead of adding. */
  zeroGrad(): void {
    for (const tensor of this.#tensors.values()) tensor.zeroGrad();
  }

  /** Some of the arena's elements, in pieces that the adapter can bind, in order. @param from a multiple of 64 */
  stretches(from = 0, to = this.length): Stretch[] {
    return withinPieces(this.#pieces, { from, to });
  }
}

function totalLength(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + aligned(elements(shape)), 0);
}
