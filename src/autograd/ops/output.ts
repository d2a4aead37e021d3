import { ConfigError } from '../../errors.ts';
import { concat } from '../../kernels/concat.ts';
import { weightGradParts } from '../../kernels/linear.ts';
import * as kernels from '../../kernels/output.ts';
import { tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { expectShape } from './shapes.ts';

/** What is to be predicted for samples, and how much each counts in the loss. */
export interface Targets {
  /** f32[rows], in [0, 1] */
  readonly labels: Tensor;
  /** f32[rows]; without them all samples count alike. */
  readonly weights?: Tensor;
}

export interface OutputBce {
  /** The mean binary cross-entropy, a scalar. */
  readonly loss: Tensor;
  /** Of each sample (logit, loss, gradient of the logit, 0): f32[rows, 4]. */
  readonly samples: Tensor;
}

/**
 * bceWithLogits(linear([p ⊙ q ; y], weight, bias), labels, weights) with all its gradients in two dispatches, which
 * `loss.backward()` appends: before it, nothing is computed. Throws ConfigError when the loss is an input of something else.
 * @param pairs f32[2 · rows, dim]: p of all samples, then q; null without GMF; dim is a multiple of 4
 * @param y f32[rows, width]; null without an MLP
 */
export function outputBce(
  pairs: Tensor | null,
  y: Tensor | null,
  weight: Tensor,
  bias: Tensor,
  { labels, weights }: Targets,
): OutputBce {
  const rows = labels.size;
  const [dim, width] = [pairs?.shape[1] ?? 0, y?.shape[1] ?? 0];
  if (pairs) expectShape('outputBce', 'pairs', pairs, [2 * rows, null]);
  if (y) expectShape('outputBce', 'y', y, [rows, null]);
  expectShape('outputBce', 'weight', weight, [1, dim + width]);
  expectShape('outputBce', 'bias', bias, [1]);
  if (weights) expectShape('outputBce', 'weights', weights, [rows]);
  const { gpu } = weight;
  const tape = tapeOf(gpu);
  const inputs = [pairs, y, weight, bias].filter((input) => input !== null);
  const loss = tape.output([1], 'loss', inputs);
  const samples = tape.scratch(4 * rows, 'samples');
  const one = (pairs ?? y)!; // stands in for the branch that is missing
  const size = { rows, dim, width };
  tape.remember(loss, ({ plan, isStart, gradientInto }) => {
    if (!isStart) throw new ConfigError('outputBce: backward() starts from its loss itself');
    const into = (input: Tensor | null) => (input ? gradientInto(input).view : gpu.unused);
    const views = { pairs: (pairs ?? one).view, y: (y ?? one).view, samples: samples.view };
    // The kernel has as many bindings as there may be: weights come in with the labels.
    const targets = weights ? tape.scratch(2 * rows, 'labels and weights') : labels;
    if (weights) concat(plan, labels.view, weights.view, targets.view, { rows: 1, left: rows, right: rows });
    kernels.outputBce(
      plan,
      { ...views, weight: weight.view, bias: bias.view, labels: targets.view, dpairs: into(pairs), dy: into(y) },
      size,
      weights !== undefined,
    );
    const { parts } = weightGradParts(plan, rows);
    const scratch = (length: number) => tape.scratch(parts * length, 'parts of the output layer’s gradient').view;
    kernels.outputGrad(
      plan,
      { ...views, dweight: into(weight), dbias: into(bias), loss: loss.view },
      size,
      parts > 1 ? { dweight: scratch(dim + width), dbias: scratch(1), loss: scratch(1) } : undefined,
    );
  });
  return { loss, samples };
}
