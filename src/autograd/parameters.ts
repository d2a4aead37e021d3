import { GpuOutOfMemoryError } from '../errors.ts';
import { checkBindable, type Gpu } from '../gpu/device.ts';
import { formatBytes } from '../gpu/format.ts';
import type { Plan } from '../gpu/plan.ts';
import { tensorView } from './tape.ts';
import { elements, type Shape, type Tensor } from './tensor.ts';

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

/** Bindings start at multiples of 256 bytes: so many elements. */
const ALIGNMENT = 64;
/** Elements from the start of a tensor of `size` elements to that of the next one. */
export const aligned = (size: number) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

/**
 * A model's trainable tensors as named views of one flat arena, and their gradients likewise, so that one Adam dispatch,
 * one norm and one walk serve them all: first the tables, then the layers' weights, then biases. The padding between
 * tensors stays zero. Running averages and constants stand in an arena of their own.
 */
export class Parameters {
  readonly gpu: Gpu;
  readonly specs: readonly ParameterSpec[];
  /** Elements of an arena, padding included; a multiple of 64. */
  readonly length: number;
  /** Where each group lies in the arena, from one element to another; multiples of 64. */
  readonly groups: readonly { readonly name: ParameterGroup; readonly from: number; readonly to: number }[];
  readonly weights: GPUBuffer;
  readonly gradients: GPUBuffer;
  /** Appends what brings the weights up to date, where an optimizer puts some of its steps off. */
  settle: ((plan: Plan) => void) | null = null;
  /** As `settle`, of the embeddings of some pairs alone: users and items u32[pairs]. */
  catchUp: ((users: Tensor, items: Tensor) => void) | null = null;
  readonly #tensors = new Map<string, Tensor>();

  /** Throws ConfigError or GpuOutOfMemoryError, with bytes, when the adapter's limits are too small. */
  constructor(gpu: Gpu, specs: readonly ParameterSpec[]) {
    this.gpu = gpu;
    this.specs = specs;
    for (const { name, shape } of specs) checkBindable(gpu, `${name} [${shape.join(' × ')}]`, 4 * elements(shape));
    const groups = GROUPS.map((name) => specs.filter((spec) => isTrained(spec) && groupOf(spec) === name));
    const trained = groups.flat();
    const buffers = specs.filter((spec) => !isTrained(spec) && !spec.shared);
    this.length = totalLength(trained);
    const ends = GROUPS.map((_, i) => totalLength(groups.slice(0, i + 1).flat()));
    this.groups = GROUPS.map((name, i) => ({ name, from: ends[i - 1] ?? 0, to: ends[i]! }));
    if (4 * this.length > gpu.limits.maxBufferSize) {
      throw new GpuOutOfMemoryError(
        `the parameters need ${formatBytes(4 * this.length)}, and ${gpu.adapterName} allows ${formatBytes(gpu.limits.maxBufferSize)} in one buffer`,
      );
    }
    this.weights = gpu.createBuffer('weights', 4 * this.length);
    this.gradients = gpu.createBuffer('gradients', 4 * this.length);
    this.#place(trained, this.weights, this.gradients);
    for (const { name, shape, shared } of specs) {
      if (shared) this.#tensors.set(name, tensorView(gpu, shared.view, shape, { label: name }));
    }
    if (buffers.length) this.#place(buffers, gpu.createBuffer('not trained', 4 * totalLength(buffers)), null);
  }

  #place(specs: readonly ParameterSpec[], weights: GPUBuffer, gradients: GPUBuffer | null): void {
    let offset = 0;
    for (const { name, shape } of specs) {
      const range = { offset: 4 * offset, size: 4 * elements(shape) };
      const tensor = tensorView(this.gpu, { buffer: weights, ...range }, shape, {
        label: name,
        requiresGrad: gradients !== null,
      });
      if (gradients)
        tensor.gradStorage = tensorView(this.gpu, { buffer: gradients, ...range }, shape, {
          label: `gradient of ${name}`,
        });
      this.#tensors.set(name, tensor);
      offset += aligned(elements(shape));
    }
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
  ranges(from = 0, to = this.length): { readonly offset: number; readonly size: number }[] {
    const bytes = 4 * to;
    const most = Math.floor(this.gpu.limits.maxStorageBufferBindingSize / 256) * 256;
    const ranges = [];
    for (let offset = 4 * from; offset < bytes; offset += most)
      ranges.push({ offset, size: Math.min(most, bytes - offset) });
    return ranges;
  }
}

function totalLength(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + aligned(elements(shape)), 0);
}
