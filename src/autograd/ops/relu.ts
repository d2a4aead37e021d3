import * as kernels from '../../kernels/elementwise.ts';
import { tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** max(x, 0), element by element. */
export function relu(x: Tensor): Tensor {
  const tape = tapeOf(x.gpu);
  const out = tape.output(x.shape, 'relu', [x]);
  kernels.relu(tape.plan, x.view, out.view, out.size);
  tape.remember(out, ({ plan, dy, gradient }) => {
    const dx = gradient(x);
    if (dx) kernels.reluBackward(plan, out.view, dy.view, dx.view, out.size);
  });
  return out;
}
