import { ConfigError } from '../../errors.ts';
import { type DropoutKey, dropout as kernel } from '../../kernels/dropout.ts';
import { STREAM } from '../../random.ts';
import { tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** Which random numbers a dropout draws. */
export interface DropoutOptions {
  readonly seed: number;
  /** The number of the layer: every layer draws other numbers. */
  readonly layer: number;
  /** u32[1], the clock: every step draws other numbers. */
  readonly step: Tensor;
}

/** Zeroes each element with probability p and scales the others by 1 / (1 − p) (torch.nn.functional.dropout). */
export function dropout(x: Tensor, p: number, options: DropoutOptions): Tensor {
  if (!(p >= 0 && p < 1)) throw new ConfigError(`dropout ${p}: a probability from 0 to below 1 would be right`);
  if (p === 0) return x;
  const key = dropoutKey(p, options);
  const tape = tapeOf(x.gpu);
  const y = tape.output(x.shape, 'dropout', [x]);
  kernel(tape.plan, x.view, y.view, x.size, key);
  tape.remember(y, ({ plan, dy, gradient }) => {
    const dx = gradient(x);
    if (dx) kernel(plan, dy.view, dx.view, x.size, key);
  });
  return y;
}

export function dropoutKey(p: number, { seed, layer, step }: DropoutOptions) {
  return { p, seed, stream: STREAM.dropout + layer, step: step.view } satisfies DropoutKey;
}
