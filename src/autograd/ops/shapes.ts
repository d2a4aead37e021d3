import { ConfigError } from '../../errors.ts';
import type { Shape, Tensor } from '../tensor.ts';

/** Throws ConfigError unless the tensor has the shape; `null` stands for any length. */
export function expectShape(op: string, name: string, x: Tensor, shape: readonly (number | null)[]): void {
  const fits = x.shape.length === shape.length && shape.every((n, i) => n === null || n === x.shape[i]);
  if (fits) return;
  throw new ConfigError(`${op}: ${name} has the shape ${text(x.shape)}, and it takes ${text(shape)}`);
}

function text(shape: Shape | readonly (number | null)[]): string {
  return `[${shape.map((n) => n ?? 'any').join(', ')}]`;
}
