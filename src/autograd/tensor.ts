import { ConfigError } from '../errors.ts';
import type { Gpu } from '../gpu/device.ts';
import { formatBytes } from '../gpu/format.ts';
import { type Shard, unsplit, type View } from '../kernels/launch.ts';

export type Dtype = 'f32' | 'u32';
export type Shape = readonly number[];

/** What a tensor needs of the autograd; tape.ts has it. */
export interface Engine {
  readonly gpu: Gpu;
  /** Runs the ops that still wait. */
  flush(): void;
  backward(loss: Tensor): void;
  /** scale · Σ x as a scalar. */
  sum(x: Tensor, scale: number): Tensor;
}

export interface TensorOptions {
  readonly dtype?: Dtype;
  readonly requiresGrad?: boolean;
  readonly label?: string;
}

/**
 * A typed view of a buffer. Nothing comes back to the CPU but by `data()`. An embedding table that no binding holds is
 * split into shards of whole rows (see `cut`): ops that look rows up go through them, other ops want one view.
 */
export class Tensor implements Disposable {
  readonly engine: Engine;
  /** In order; one of all rows where the tensor is not split. */
  readonly shards: readonly Shard[];
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly label: string;
  readonly requiresGrad: boolean;
  /** The gradient that `backward()` left here; null before, and after `zeroGrad()`. */
  grad: Tensor | null = null;
  /** Gives the tensor that is to keep the gradient, if any; without one `backward()` makes it. */
  gradStorage: (() => Tensor | null) | null = null;
  /** Runs what has to run before the contents are what they should be, where somebody puts work off. */
  beforeAccess: (() => void) | null = null;

  constructor(engine: Engine, place: View | readonly Shard[], shape: Shape, options: TensorOptions = {}) {
    this.engine = engine;
    this.shards = 'buffer' in place ? unsplit(shape[0] ?? 1, place) : place;
    this.shape = shape;
    this.dtype = options.dtype ?? 'f32';
    this.label = options.label ?? 'tensor';
    this.requiresGrad = options.requiresGrad ?? false;
  }

  get gpu(): Gpu {
    return this.engine.gpu;
  }

  /** All of it in one binding. Throws ConfigError for a table that is split. */
  get view(): View {
    const { shards } = this;
    if (shards.length === 1) return shards[0]!.view;
    const limit = formatBytes(this.gpu.bindingLimit);
    throw new ConfigError(
      `${this.label} [${this.shape.join(' × ')}] is split over ${shards.length} buffers, since a binding holds ${limit} on ${this.gpu.adapterName}, and this needs it in one`,
    );
  }

  /** Number of elements. */
  get size(): number {
    return elements(this.shape);
  }

  /** The contents, in row-major order, once everything before is done. Throws what the device reported meanwhile. */
  async data(): Promise<Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>> {
    this.engine.flush();
    this.beforeAccess?.();
    const bytes = await this.#bytes();
    return this.dtype === 'u32' ? new Uint32Array(bytes) : new Float32Array(bytes);
  }

  /** Replaces the contents. Throws ConfigError on another length. */
  write(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): void {
    if (data.length !== this.size) {
      throw new ConfigError(`${this.label}: ${data.length} values, and it holds ${this.size} ([${this.shape}])`);
    }
    this.engine.flush(); // ops that still wait must see what was here before
    this.beforeAccess?.();
    for (const { view, from, to } of this.#parts()) {
      if (from < to) this.gpu.write(view.buffer, view.offset ?? 0, data.subarray(from, to));
    }
  }

  async #bytes(): Promise<ArrayBuffer> {
    const parts = this.#parts();
    const read = ({ view, from, to }: (typeof parts)[number]) => this.gpu.read({ ...view, size: 4 * (to - from) });
    if (parts.length === 1) return read(parts[0]!);
    const all = new Uint8Array(4 * this.size);
    for (const part of parts) all.set(new Uint8Array(await read(part)), 4 * part.from);
    return all.buffer;
  }

  /** The elements of each shard. */
  #parts(): { readonly view: View; readonly from: number; readonly to: number }[] {
    const { shards, size } = this;
    if (shards.length === 1) return [{ view: shards[0]!.view, from: 0, to: size }];
    const width = size / this.shape[0]!;
    return shards.map(({ first, rows, view }) => ({ view, from: width * first, to: width * (first + rows) }));
  }

  /** The sum of all elements, a scalar. */
  sum(): Tensor {
    return this.engine.sum(this, 1);
  }

  /** The mean of all elements, a scalar. */
  mean(): Tensor {
    return this.engine.sum(this, 1 / this.size);
  }

  /**
   * Computes the gradients of this scalar with respect to every tensor that requires one; they are added to those that
   * are there already, as in PyTorch. Throws ConfigError when this is not one number or depends on no such tensor.
   */
  backward(): void {
    this.engine.backward(this);
  }

  zeroGrad(): void {
    this.grad = null;
  }

  /** Frees the buffer now, instead of when the garbage collector gets to it. */
  dispose(): void {
    this.engine.flush();
    for (const { view } of this.shards) view.buffer.destroy();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

export function elements(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}
