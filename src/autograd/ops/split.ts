import { ConfigError } from '../../errors.ts';
import * as kernels from '../../kernels/concat.ts';
import { tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { expectShape } from './shapes.ts';

/** A matrix into its first `left` columns and the others (torch.split along dim −1), the inverse of concat. */
export function split(x: Tensor, left: number): readonly [Tensor, Tensor] {
  expectShape('split', 'x', x, [null, null]);
  const [rows, width] = x.shape as [number, number];
  if (!(Number.isInteger(left) && left > 0 && left < width)) {
    throw new ConfigError(`split: left ${left} of ${width} columns: an integer from 1 to ${width - 1} would be right`);
  }
  const sides = { rows, left, right: width - left };
  const tape = tapeOf(x.gpu);
  // Stands between x and both outputs, so that backward comes to it when it has been to each output that it comes to at all.
  const both = tape.output([0], 'split', [x]);
  const sideOf = (columns: number, label: string) => tape.output([rows, columns], label, [both]);
  const [a, b] = [sideOf(left, 'left side'), sideOf(width - left, 'right side')];
  kernels.split(tape.plan, x.view, a.view, b.view, sides);

  const gradients = new Map<Tensor, Tensor>();
  for (const side of [a, b]) {
    tape.remember(side, ({ dy, gradient }) => {
      gradients.set(side, dy);
      gradient(both);
    });
  }
  tape.remember(both, ({ plan, gradient }) => {
    const dx = gradient(x);
    const of = (side: Tensor) => (gradients.get(side) ?? tape.scratch(side.size, 'no gradient')).view;
    if (dx) kernels.concat(plan, of(a), of(b), dx.view, sides);
  });
  return [a, b];
}
