/**
 * The autograd. An op appends its forward dispatches to the tape's plan and leaves a node that knows how to append its
 * backward ones. `backward` walks the nodes in reverse, so that forward, backward and whatever the caller appends after
 * them (clip, update) become one plan.
 *
 * Two uses of the same ops:
 * - `record(gpu, label, body)` gives a plan to be replayed: nothing runs until `plan.run()`.
 * - outside of it, dispatches wait on the Gpu's own tape and run when a result is asked for (`await y.data()`).
 */
import { ConfigError } from '../errors.ts';
import type { Gpu } from '../gpu/device.ts';
import { Plan } from '../gpu/plan.ts';
import { add, fill } from '../kernels/elementwise.ts';
import type { Shard, View } from '../kernels/launch.ts';
import { sum } from '../kernels/sum.ts';
import { type BackwardPass, history, nodes } from './nodes.ts';
import { type Engine, elements, type Shape, Tensor, type TensorOptions } from './tensor.ts';

export class Tape {
  readonly plan: Plan;
  /** Whether ops leave nodes for backward; off inside `noGrad`. */
  remembering = true;
  /** The tensors made while this was recorded. */
  readonly made: Tensor[] = [];

  constructor(gpu: Gpu, label: string) {
    this.plan = new Plan(gpu, label);
  }

  /** A new tensor for an op to write; it takes part in backward when one of the inputs does. */
  output(shape: Shape, label: string, inputs: readonly Tensor[]): Tensor {
    const requiresGrad = this.remembering && inputs.some((input) => input.requiresGrad);
    const output = zeros(this.plan.gpu, shape, { label, requiresGrad });
    if (requiresGrad) nodes.set(output, { inputs, backward: null });
    return output;
  }

  /** A buffer between an op's own kernels. */
  scratch(length: number, label: string): Tensor {
    return zeros(this.plan.gpu, [length], { label });
  }

  /** Frees all that was made while this was recorded; its plan cannot run any more. */
  dispose(): void {
    for (const tensor of this.made.splice(0)) tensor.dispose();
  }

  /** Remembers how to compute the gradients of an op's inputs. */
  remember(output: Tensor, backward: (pass: BackwardPass) => void): void {
    const node = nodes.get(output);
    if (node) node.backward = backward;
  }

  /** Appends the backward dispatches of everything that the scalar `loss` depends on, and forgets how it came about. */
  backward(loss: Tensor): void {
    if (loss.size !== 1)
      throw new ConfigError(`backward() starts from one number, not from a tensor of shape [${loss.shape}]`);
    if (!nodes.has(loss)) throw new ConfigError('backward(): the loss depends on no tensor that requires a gradient');
    const { plan } = this;
    const start = tensor(plan.gpu, [1], { label: 'one' });
    const outputs = history(loss);
    const gradients = new Map<Tensor, Tensor>([[loss, start]]);
    const memo = new Map<object, unknown>();
    for (const output of [...outputs].reverse()) {
      const dy = gradients.get(output);
      const backward = nodes.get(output)?.backward;
      nodes.set(output, null);
      if (!dy || !backward) continue; // inside of a coarser op, which goes past it
      const more: [sum: Tensor, part: Tensor][] = [];
      const gradient = (input: Tensor, computed?: Tensor): Tensor | null => {
        if (!input.requiresGrad) return null;
        const isLeaf = !outputs.has(input);
        const before = isLeaf ? input.grad : gradients.get(input);
        const storage = isLeaf && !before ? input.gradStorage?.() : null;
        const target = storage ?? computed ?? zeros(plan.gpu, input.shape, { label: `gradient of ${input.label}` });
        if (before) more.push([before, target]);
        else if (isLeaf) input.grad = target;
        else gradients.set(input, target);
        return target;
      };
      const gradientInto = (input: Tensor) => gradient(input) ?? this.scratch(input.size, 'unused gradient');
      const shared = <T>(key: object, make: () => T): T => {
        if (!memo.has(key)) memo.set(key, make());
        return memo.get(key) as T;
      };
      backward({ plan, dy, isStart: dy === start, gradient, gradientInto, shared });
      for (const [total, part] of more) add(plan, total.view, part.view, part.size);
    }
  }
}

/** The tape that ops on one Gpu append to now, and what tensors ask of it. */
class GpuEngine implements Engine {
  readonly gpu: Gpu;
  readonly eager: Tape;
  tape: Tape;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.eager = new Tape(gpu, 'eager');
    this.tape = this.eager;
  }

  flush(): void {
    const { plan } = this.eager;
    if (plan.dispatches.length === 0) return;
    plan.run();
    plan.dispatches.length = 0;
  }

  backward(loss: Tensor): void {
    this.tape.backward(loss);
  }

  sum(x: Tensor, scale: number): Tensor {
    const out = this.tape.output([1], 'sum', [x]);
    sum(this.tape.plan, x.view, out.view, x.size, scale);
    this.tape.remember(out, ({ plan, dy, gradient }) => {
      const dx = gradient(x);
      if (dx) fill(plan, dy.view, dx.view, x.size, scale);
    });
    return out;
  }
}

const engines = new WeakMap<Gpu, GpuEngine>();

function engineOf(gpu: Gpu): GpuEngine {
  let engine = engines.get(gpu);
  if (!engine) {
    engine = new GpuEngine(gpu);
    engines.set(gpu, engine);
  }
  return engine;
}

/** The tape that ops on this Gpu append to now. */
export function tapeOf(gpu: Gpu): Tape {
  return engineOf(gpu).tape;
}

/** The plan of everything that `body`'s ops append. Nothing of it runs yet. */
export function record(gpu: Gpu, label: string, body: (tape: Tape) => void): Plan {
  const engine = engineOf(gpu);
  engine.flush();
  const outer = engine.tape;
  engine.tape = new Tape(gpu, label);
  try {
    body(engine.tape);
    return engine.tape.plan;
  } finally {
    engine.tape = outer;
  }
}

/** Ops inside leave nothing for backward (torch.no_grad). */
export function noGrad<T>(gpu: Gpu, body: () => T): T {
  const { tape } = engineOf(gpu);
  const before = tape.remembering;
  tape.remembering = false;
  try {
    return body();
  } finally {
    tape.remembering = before;
  }
}

/** A new tensor of zeros. Throws GpuOutOfMemoryError when it is larger than the adapter allows. */
export function zeros(gpu: Gpu, shape: Shape, options: TensorOptions = {}): Tensor {
  const bytes = 4 * elements(shape);
  const buffer = gpu.createBuffer(options.label ?? 'tensor', bytes);
  const engine = engineOf(gpu);
  const made = new Tensor(engine, { buffer, offset: 0, size: Math.max(4, bytes) }, shape, options);
  if (engine.tape !== engine.eager) engine.tape.made.push(made);
  return made;
}

/** A tensor over part of a buffer, or of several, that belong to someone else. */
export function tensorView(
  gpu: Gpu,
  place: View | readonly Shard[],
  shape: Shape,
  options: TensorOptions = {},
): Tensor {
  return new Tensor(engineOf(gpu), place, shape, options);
}

/** Numbers, rows of numbers, or a typed array: a Uint32Array makes u32 (ids), anything else f32. */
export type TensorData =
  | Float32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | readonly number[]
  | readonly (readonly number[])[];

/**
 * A new tensor of the given numbers: nested arrays bring their shape, flat ones take `options.shape` or are vectors.
 * Throws ConfigError when rows differ in length or do not fill the shape.
 */
export function tensor(gpu: Gpu, data: TensorData, options: TensorOptions & { readonly shape?: Shape } = {}): Tensor {
  const { values, shape: own } = flatten(data);
  const shape = options.shape ?? own;
  if (elements(shape) !== values.length) {
    throw new ConfigError(`${values.length} values do not fill the shape [${shape}], which holds ${elements(shape)}`);
  }
  const made = zeros(gpu, shape, { ...options, dtype: values instanceof Uint32Array ? 'u32' : 'f32' });
  if (values.length) gpu.write(made.view.buffer, 0, values);
  return made;
}

function flatten(data: TensorData): { values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>; shape: Shape } {
  if (data instanceof Float32Array || data instanceof Uint32Array) return { values: data, shape: [data.length] };
  if (!Array.isArray(data[0])) return { values: Float32Array.from(data as readonly number[]), shape: [data.length] };
  const rows = data as readonly (readonly number[])[];
  const width = rows[0]!.length;
  const ragged = rows.findIndex((row) => row.length !== width);
  if (ragged >= 0) throw new ConfigError(`row ${ragged} has ${rows[ragged]!.length} values, row 0 has ${width}`);
  return { values: Float32Array.from(rows.flat()), shape: [rows.length, width] };
}
