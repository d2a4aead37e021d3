/** What tests of kernels stand on: one Gpu a file, and buffers that show who wrote where. */
import { afterAll, beforeAll } from 'vitest';
import { Gpu } from '../src/gpu/device.ts';
import { Plan } from '../src/gpu/plan.ts';

/** Opens a Gpu for the tests of a file and closes it after them. */
export function useGpu(): { readonly gpu: Gpu } {
  const holder = {} as { gpu: Gpu };
  beforeAll(async () => {
    holder.gpu = await Gpu.open();
  });
  afterAll(() => holder.gpu.close());
  return holder;
}

/** Stands in every word that a kernel has yet to write, and around it: as f32 it is not a number. */
const POISON = 0x7fc0dead;
/** Bytes of poison before and behind a view; bindings start at multiples of it. */
const GUARD = 256;

type Words = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
export type Bound = GPUBufferBinding & { readonly size: number };

/** A kernel's output between poison, which the binding includes: bounds checks cannot hide a write past the end. */
class Output<T extends Words> {
  readonly view: Bound;
  readonly #name: string;
  readonly #length: number;
  readonly #type: new (
    buffer: ArrayBuffer,
  ) => T;
  readonly #gpu: Gpu;

  constructor(gpu: Gpu, name: string, type: new (buffer: ArrayBuffer) => T, length: number, initial?: T) {
    this.#gpu = gpu;
    this.#name = name;
    this.#type = type;
    this.#length = length;
    this.view = poisoned(gpu, name, length, initial);
  }

  /** The contents. Throws when an element was not written, or something around them was. */
  async data(): Promise<T> {
    const bytes = await this.#gpu.read({ buffer: this.view.buffer });
    const words = new Uint32Array(bytes);
    const first = GUARD / 4;
    words.forEach((word, i) => {
      const inside = i >= first && i < first + this.#length;
      if (inside && word === POISON) throw new Error(`${this.#name}[${i - first}] was not written`);
      if (!inside && word !== POISON) throw new Error(`${this.#name}[${i - first}] was written, of ${this.#length}`);
    });
    return new this.#type(bytes.slice(GUARD, GUARD + 4 * this.#length));
  }
}

/** The last word, or what stands there, guards the end; see Output. */
function poisoned(gpu: Gpu, name: string, length: number, values?: Words): Bound {
  const bytes = 4 * length + GUARD;
  const buffer = gpu.createBuffer(name, GUARD + bytes);
  gpu.write(buffer, 0, new Uint32Array((GUARD + bytes) / 4).fill(POISON));
  if (values?.length) gpu.write(buffer, GUARD, values);
  return { buffer, offset: GUARD, size: bytes };
}

/** One test's plan with its inputs and outputs. */
export class Trial {
  readonly gpu: Gpu;
  readonly plan: Plan;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.plan = new Plan(gpu, 'test');
  }

  /** An input with poison around it, so that what is read past the end spoils the result; numbers are f32. */
  input(values: Words | readonly number[]): Bound {
    const words = Array.isArray(values) ? Float32Array.from(values) : (values as Words);
    return poisoned(this.gpu, 'input', words.length, words);
  }

  f32(name: string, length: number): Output<Float32Array<ArrayBuffer>> {
    return new Output(this.gpu, name, Float32Array<ArrayBuffer>, length);
  }

  u32(name: string, length: number): Output<Uint32Array<ArrayBuffer>> {
    return new Output(this.gpu, name, Uint32Array<ArrayBuffer>, length);
  }

  /** What a kernel reads and writes in place. */
  inPlace<T extends Words>(name: string, values: T): Output<T> {
    const type = values.constructor as new (buffer: ArrayBuffer) => T;
    return new Output(this.gpu, name, type, values.length, values);
  }
}
