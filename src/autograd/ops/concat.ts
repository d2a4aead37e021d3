import * as kernels from '../../kernels/concat.ts';
import { tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { expectShape } from './shapes.ts';

/** Two matrices side by side (torch.cat along dim −1): f32[rows, left] and f32[rows, right] → f32[rows, left + right]. */
export function concat(a: Tensor, b: Tensor): Tensor {
  expectShape('concat', 'a', a, [null, null]);
  expectShape('concat', 'b', b, [a.shape[0]!, null]);
  const sides = { rows: a.shape[0]!, left: a.shape[1]!, right: b.shape[1]! };
  const tape = tapeOf(a.gpu);
  const out = tape.output([sides.rows, sides.left + sides.right], 'concat', [a, b]);
  kernels.concat(tape.plan, a.view, b.view, out.view, sides);
  tape.remember(out, ({ plan, dy, gradientInto }) => {
    const [da, db] = [gradientInto(a), gradientInto(b)];
    kernels.split(plan, dy.view, da.view, db.view, sides);
  });
  return out;
}
