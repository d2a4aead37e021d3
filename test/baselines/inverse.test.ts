import { expect, it } from 'vitest';
import { BLOCK, invertSymmetric } from '../../src/baselines/inverse.ts';
import { Draws, expectClose } from '../numbers.ts';
import { inverse } from '../reference/inverse.ts';

/** Random numbers between −1 and 1, with a diagonal that makes the matrix positive definite. */
function positiveDefinite(size: number): number[][] {
  const draws = new Draws(3).vector(size * size);
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => (i === j ? size : draws[Math.max(i, j) * size + Math.min(i, j)])),
  );
}

it.each([1, 2, 3])('inverts %i blocks as pivoting does, from the lower triangle alone', async (blocks) => {
  const size = BLOCK * blocks;
  const matrix = positiveDefinite(size);
  const lower = Float64Array.from(matrix.flatMap((row, i) => row.map((value, j) => (j <= i ? value : Number.NaN))));
  await invertSymmetric(lower, size);
  const expected = inverse(matrix).flat();
  expectClose(lower, expected, { relative: 1e-13, scale: expected.map(() => 1 / size) });
});

it('refuses a matrix that is not positive definite, wherever that shows', async () => {
  for (const bad of [0, 5, BLOCK, 2 * BLOCK - 1]) {
    const matrix = positiveDefinite(2 * BLOCK);
    matrix[bad][bad] = -1;
    await expect(invertSymmetric(Float64Array.from(matrix.flat()), 2 * BLOCK)).rejects.toThrow('not positive definite');
  }
});
