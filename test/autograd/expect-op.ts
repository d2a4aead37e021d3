/** The check of every op: its forward pass against the reference, its gradients against the reference's central differences. */
import { hadamard } from '../../src/autograd/ops/hadamard.ts';
import { tensor } from '../../src/autograd/tape.ts';
import type { Shape, Tensor } from '../../src/autograd/tensor.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { centralDifferences } from '../differences.ts';
import { type Draws, expectClose } from '../numbers.ts';
import * as reference from '../reference/elementwise.ts';

export type CheckedOp = readonly [
  shapes: readonly Shape[],
  op: (...inputs: Tensor[]) => Tensor,
  expected: (...inputs: reference.Numbers[]) => reference.Numbers,
];

interface Checking {
  readonly gpu: Gpu;
  readonly draws: Draws;
}

/**
 * Draws inputs of these shapes and checks Σ r ⊙ op(inputs), r random, which reaches every element of the op's Jacobian.
 * @param expected the op in float64, on the inputs' elements
 */
export async function expectOp({ gpu, draws }: Checking, ...[shapes, op, expected]: CheckedOp): Promise<void> {
  const values = shapes.map((shape) => draws.normal(shape.reduce((product, n) => product * n, 1)));
  const inputs = values.map((own, i) => tensor(gpu, own, { shape: shapes[i]!, requiresGrad: true }));
  const y = op(...inputs);
  const r = draws.normal(y.size);
  hadamard(y, tensor(gpu, r, { shape: y.shape }))
    .sum()
    .backward();
  const all: reference.Numbers[] = values;
  const forward = expected(...all);
  expectClose(await y.data(), forward, atMost(forward));
  for (const [i, input] of inputs.entries()) {
    const f = (x: Float64Array) => reference.sum(reference.hadamard(expected(...all.with(i, x)), r));
    const gradient = centralDifferences(f, values[i]!);
    expectClose(await input.grad!.data(), gradient, atMost(gradient));
  }
}

/** Relative to the largest element, whose rounding is in all that were summed with it. */
export function atMost(x: reference.Numbers) {
  return { scale: new Float64Array(x.length).fill(Math.max(...reference.absolute(x), 1)), relative: 2e-6 };
}
