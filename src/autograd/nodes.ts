/** What ops leave behind for backward: a node for each output, from which its inputs can be reached. */
import { ConfigError } from '../errors.ts';
import type { Plan } from '../gpu/plan.ts';
import type { Tensor } from './tensor.ts';

/** What an op's backward may ask for. */
export interface BackwardPass {
  readonly plan: Plan;
  /** The gradient of the output. */
  readonly dy: Tensor;
  /** Whether `dy` is the scalar 1 that every backward pass starts from. */
  readonly isStart: boolean;
  /**
   * A tensor to write the input's gradient into; null when nobody wants it. Ask once for each use of the input.
   * @param computed a tensor that holds the gradient already: when it can serve, it comes back and need not be written
   */
  gradient(input: Tensor, computed?: Tensor): Tensor | null;
  /** The same for a kernel that writes all of an op's gradients: a buffer of its own where nobody wants this one. */
  gradientInto(input: Tensor): Tensor;
  /** Work that several nodes of one backward pass share, such as grouping a batch's ids. */
  shared<T>(key: object, make: () => T): T;
}

interface Node {
  readonly inputs: readonly Tensor[];
  backward: ((pass: BackwardPass) => void) | null;
}

/** How the outputs of ops came about; null once backward has gone through. A forgotten output takes its node with it. */
export const nodes = new WeakMap<Tensor, Node | null>();

/**
 * The outputs of ops that the loss depends on, each behind those that it depends on itself. Throws ConfigError when
 * backward has gone through one of them.
 */
export function history(loss: Tensor): Set<Tensor> {
  const outputs = new Set<Tensor>();
  const visit = (output: Tensor): void => {
    const node = nodes.get(output);
    if (node === undefined || outputs.has(output)) return;
    if (node === null) {
      throw new ConfigError(`backward() has gone through this ${output.label} already: run its forward pass again`);
    }
    node.inputs.forEach(visit);
    outputs.add(output);
  };
  visit(loss);
  return outputs;
}
