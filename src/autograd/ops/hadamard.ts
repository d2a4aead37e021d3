import * as kernels from '../../kernels/elementwise.ts';
import { tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { expectShape } from './shapes.ts';

/** a ⊙ b, element by element, of two tensors of one shape. */
export function hadamard(a: Tensor, b: Tensor): Tensor {
  expectShape('hadamard', 'b', b, a.shape);
  const tape = tapeOf(a.gpu);
  const out = tape.output(a.shape, 'hadamard', [a, b]);
  kernels.hadamard(tape.plan, a.view, b.view, out.view, out.size);
  tape.remember(out, ({ plan, dy, gradientInto }) => {
    const [da, db] = [gradientInto(a), gradientInto(b)];
    kernels.hadamardBackward(plan, { a: a.view, b: b.view, dy: dy.view, da: da.view, db: db.view }, out.size);
  });
  return out;
}
