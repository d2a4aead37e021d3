import { bce } from '../../kernels/bce.ts';
import { fill, hadamard } from '../../kernels/elementwise.ts';
import { sum } from '../../kernels/sum.ts';
import { tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { expectShape } from './shapes.ts';

/**
 * Mean binary cross-entropy of logits against labels in [0, 1], a scalar, each sample's loss times its weight
 * (torch.nn.functional.binary_cross_entropy_with_logits with `weight`):
 *   (1 / rows) · Σ weights · BCE(logits, labels)
 * It is divided by the number of samples, whatever their weights add up to. Logits f32[rows, 1] or f32[rows], labels and
 * weights f32[rows].
 */
export function bceWithLogits(logits: Tensor, labels: Tensor, weights?: Tensor): Tensor {
  const n = logits.size;
  expectShape('bceWithLogits', 'labels', labels, [n]);
  if (weights) expectShape('bceWithLogits', 'weights', weights, [n]);
  const tape = tapeOf(logits.gpu);
  const loss = tape.output([1], 'bce', [logits]);
  const losses = tape.scratch(n, 'losses');
  // The kernel has σ(x) at hand, so it writes the gradient for dy = 1 at once, straight to where it is wanted.
  const unscaled = tape.output(logits.shape, 'gradient of the logits', []);
  const views = { logits: logits.view, labels: labels.view, losses: losses.view, gradient: unscaled.view };
  bce(tape.plan, { ...views, ...(weights && { weights: weights.view }) }, n, 1 / n);
  sum(tape.plan, losses.view, loss.view, n, 1 / n);
  tape.remember(loss, ({ plan, dy, isStart, gradient }) => {
    const dx = gradient(logits, isStart ? unscaled : undefined);
    if (!dx || dx === unscaled) return;
    const spread = tape.scratch(n, 'dy');
    fill(plan, dy.view, spread.view, n, 1);
    hadamard(plan, unscaled.view, spread.view, dx.view, n);
  });
  return loss;
}
