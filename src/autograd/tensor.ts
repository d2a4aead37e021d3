import { ConfigError } from '../errors.ts';
import type { Gpu } from '../gpu/device.ts';
import type { View } from '../kernels/launch.ts';

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

/** A typed view of a buffer. Nothing comes back to the CPU but by `data()`. */
export class Tensor implements Disposable {
  readonly engine: Engine;
  readonly view: View;
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly label: string;
  readonly requiresGrad: boolean;
  /** The gradient that `backward()` left here; null before, and after `zeroGrad()`. */
  grad: Tensor | null = null;
  /** Where the gradient is to be kept; without it `backward()` makes a tensor. */
  gradStorage: Tensor | null = null;
  /** Runs what has to run before the contents are what they should be, where somebody puts work off. */
  beforeAccess: (() => void) | null = null;

  constructor(engine: Engine, view: View, shape: Shape, options: TensorOptions = {}) {
    this.engine = engine;
    this.view = view;
    this.shape = shape;
    this.dtype = options.dtype ?? 'f32';
    this.label = options.label ?? 'tensor';
    this.requiresGrad = options.requiresGrad ?? false;
  }

  get gpu(): Gpu {
    return this.engine.gpu;
  }

  /** Number of elements. */
  get size(): number {
    return elements(this.shape);
  }

  /** The contents, in row-major order, once everything before is done. Throws what the device reported meanwhile. */
  async data(): Promise<Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>> {
    this.engine.flush();
    this.beforeAccess?.();
    const bytes = await this.gpu.read({ ...this.view, size: 4 * this.size });
    return this.dtype === 'u32' ? new Uint32Array(bytes) : new Float32Array(bytes);
  }

  /** Replaces the contents. Throws ConfigError on another length. */
  write(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): void {
    if (data.length !== this.size) {
      throw new ConfigError(`${this.label}: ${data.length} values, and it holds ${this.size} ([${this.shape}])`);
    }
    this.engine.flush(); // ops that still wait must see what was here before
    this.beforeAccess?.();
    if (data.length) this.gpu.write(this.view.buffer, this.view.offset ?? 0, data);
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
    this.view.buffer.destroy();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

export function elements(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}
