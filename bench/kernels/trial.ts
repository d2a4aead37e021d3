import { GpuOutOfMemoryError } from '../../src/errors.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { formatBytes } from '../../src/gpu/format.ts';
import { Plan } from '../../src/gpu/plan.ts';
import type { View } from '../../src/kernels/launch.ts';
import { Draws } from './draws.ts';
import { type Sample, takeRows } from './sample.ts';

export type Words = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
export type Numbers = ArrayLike<number>;
type Buffer = View & { readonly size: number };

/** Stands in every word that a kernel has yet to write; as f32 it is not a number. */
const POISON = 0x7fc0dead;
/** Largest error of a float kernel, relative to the sum of the magnitudes that went into the element. */
export const TOLERANCE = 1e-5;

export interface Outcome {
  /** Largest error of all outputs; 0 when all are exact. */
  readonly error: number;
  /** What the worst element is and should be; null when the check passed. */
  readonly failure: string | null;
  /** Share of the outputs' elements that the reference computed; 1 but for products of large batches. */
  readonly checked: number;
}

interface Check {
  readonly name: string;
  readonly actual: () => Promise<Numbers>;
  readonly expected: Numbers;
  readonly scale: Numbers | undefined;
}

/** A case on the device: its plan, its buffers, and what the reference expects in them. */
export class Trial {
  readonly plan: Plan;
  readonly draws = new Draws(1);
  readonly #buffers: GPUBuffer[] = [];
  readonly #state: { readonly buffer: GPUBuffer; readonly initial: GPUBuffer }[] = [];
  readonly #checks: Check[] = [];
  #unchecked = 0;

  constructor(gpu: Gpu, label: string) {
    this.plan = new Plan(gpu, label);
  }

  input(values: Words): Buffer {
    return this.#buffer('input', values);
  }

  /** Poisoned words that kernels hand to each other. */
  scratch(length: number): Buffer {
    return this.#buffer('scratch', new Uint32Array(length).fill(POISON));
  }

  /**
   * A poisoned output, u32 where integers are expected, else f32.
   * @param scale the sum of the magnitudes that go into each element; without it every element must be exact
   */
  output(name: string, expected: Numbers, scale?: Numbers): Buffer {
    const view = this.scratch(expected.length);
    this.expect(name, () => this.#words(view, expected), expected, scale);
    return view;
  }

  /** A poisoned f32 output of which some rows are compared, while of the others each element must be a number. */
  sampledOutput(name: string, sample: Sample, expected: Float64Array | number[], scale: Numbers): Buffer {
    const { rows, chosen } = sample;
    const view = this.scratch((expected.length / chosen.length) * rows);
    const words = () => this.#words(view, expected);
    this.expect(name, async () => takeRows(await words(), sample), expected, scale);
    if (chosen.length < rows) {
      this.#unchecked += view.size / 4 - expected.length;
      this.expect(`${name}, elements that are no numbers`, async () => [countNaN(await words())], [0]);
    }
    return view;
  }

  /** What kernels read and write in place. */
  inPlace(name: string, initial: Words, expected: Numbers, scale?: Numbers): Buffer {
    const view = this.#buffer(name, initial);
    this.#state.push({ buffer: view.buffer, initial: this.#buffer(`initial ${name}`, initial).buffer });
    this.expect(name, () => this.#words(view, initial), expected, scale);
    return view;
  }

  /** Has `check` compare whatever `actual` makes of the outputs. */
  expect(name: string, actual: () => Promise<Numbers>, expected: Numbers, scale?: Numbers): void {
    this.#checks.push({ name, actual, expected, scale });
  }

  /** Reads a buffer of integers back. */
  async integers(view: Buffer): Promise<Uint32Array> {
    return new Uint32Array(await this.plan.gpu.read(view));
  }

  /** Runs the plan once and compares all outputs with the reference. */
  async check(): Promise<Outcome> {
    this.plan.run();
    let worst: Omit<Outcome, 'checked'> = { error: 0, failure: null };
    let compared = 0;
    for (const check of this.#checks) {
      const outcome = compare(check, await check.actual());
      if (outcome.error > worst.error) worst = outcome;
      compared += check.expected.length;
    }
    this.#checks.length = 0; // the expected values may be large, and are not needed again
    return { ...worst, checked: compared / (compared + this.#unchecked) };
  }

  /** Gives what is read and written in place its initial contents again. */
  reset(): void {
    const { gpu, label } = this.plan;
    const encoder = gpu.device.createCommandEncoder({ label });
    for (const { buffer, initial } of this.#state) encoder.copyBufferToBuffer(initial, 0, buffer, 0, buffer.size);
    gpu.submit(encoder.finish());
  }

  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }

  #buffer(name: string, values: Words): Buffer {
    const { gpu, label } = this.plan;
    const limit = gpu.limits.maxStorageBufferBindingSize;
    if (values.byteLength > limit) {
      const [needed, allowed] = [formatBytes(values.byteLength), formatBytes(limit)];
      throw new GpuOutOfMemoryError(`its ${name} needs ${needed}, and ${gpu.adapterName} binds ${allowed} at most`);
    }
    const buffer = gpu.createBuffer(`${label} ${name}`, values.byteLength);
    gpu.write(buffer, 0, values);
    this.#buffers.push(buffer);
    return { buffer, offset: 0, size: values.byteLength };
  }

  async #words(view: Buffer, like: Numbers): Promise<Numbers> {
    const bytes = await this.plan.gpu.read(view);
    return like instanceof Uint32Array ? new Uint32Array(bytes) : new Float32Array(bytes);
  }
}

function countNaN(values: Numbers): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) count++;
  return count;
}

function compare({ name, expected, scale }: Check, actual: Numbers): Omit<Outcome, 'checked'> {
  let error = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    const relative = difference === 0 ? 0 : scale && difference > 0 ? difference / scale[i]! : Infinity;
    if (relative > error) [error, at] = [relative, i];
  }
  const wanted = scale ? `error ${error.toExponential(1)}; at most ${TOLERANCE.toExponential(0)}` : 'the exact value';
  const failure =
    error > TOLERANCE ? `${name}[${at}] is ${actual[at]}, not ${expected[at]} (${wanted} would be right)` : null;
  return { error, failure };
}
