import { describe, expect, it } from 'vitest';
import { batchNorm } from '../../src/autograd/ops/batch-norm.ts';
import { bceWithLogits } from '../../src/autograd/ops/bce.ts';
import { concat } from '../../src/autograd/ops/concat.ts';
import { dropout } from '../../src/autograd/ops/dropout.ts';
import { embedding } from '../../src/autograd/ops/embedding.ts';
import { hadamard } from '../../src/autograd/ops/hadamard.ts';
import { inBatchSoftmax } from '../../src/autograd/ops/in-batch-softmax.ts';
import { linear } from '../../src/autograd/ops/linear.ts';
import { relu } from '../../src/autograd/ops/relu.ts';
import { split } from '../../src/autograd/ops/split.ts';
import { tensor, zeros } from '../../src/autograd/tape.ts';
import { ConfigError } from '../../src/errors.ts';
import { useGpu } from '../gpu-fixture.ts';

const on = useGpu();
const constant = (values: readonly number[] | readonly (readonly number[])[]) => tensor(on.gpu, values);

describe('mistakes are refused in words', () => {
  const matrix = (rows: number, columns: number) => zeros(on.gpu, [rows, columns], { requiresGrad: true });
  const norm = (features: number) => ({
    gamma: zeros(on.gpu, [features]),
    beta: zeros(on.gpu, [features]),
    runningMean: zeros(on.gpu, [features]),
    runningVar: zeros(on.gpu, [features]),
  });

  const ids = () => zeros(on.gpu, [3], { dtype: 'u32' });
  const cases: [string, () => void, RegExp][] = [
    ['backward of a matrix', () => relu(matrix(2, 3)).backward(), /one number, not from a tensor of shape \[2,3\]/],
    ['backward of constants', () => constant([1]).sum().backward(), /depends on no tensor that requires a gradient/],
    [
      'backward twice through the same ops',
      () => {
        const loss = relu(matrix(1, 1)).sum();
        loss.backward();
        loss.backward();
      },
      /gone through this sum already/,
    ],
    [
      'a weight of another width',
      () => linear(matrix(2, 3), matrix(4, 5), zeros(on.gpu, [4])),
      /weight has the shape \[4, 5\], and it takes \[any, 3\]/,
    ],
    [
      'a bias of another length',
      () => linear(matrix(2, 3), matrix(4, 3), zeros(on.gpu, [3])),
      /bias has the shape \[3\], and it takes \[4\]/,
    ],
    [
      'factors of two shapes',
      () => hadamard(matrix(2, 3), matrix(3, 2)),
      /b has the shape \[3, 2\], and it takes \[2, 3\]/,
    ],
    [
      'sides of different lengths',
      () => concat(matrix(2, 3), matrix(3, 3)),
      /b has the shape \[3, 3\], and it takes \[2, any\]/,
    ],
    ['a side without columns', () => split(matrix(2, 3), 3), /left 3 of 3 columns: an integer from 1 to 2 would be/],
    [
      'a softmax of other items',
      () => inBatchSoftmax(matrix(2, 3), ids(), { logQ: zeros(on.gpu, [9]) }),
      /logits has the shape \[2, 3\], and it takes \[3, 3\]/,
    ],
    [
      'a temperature of 0',
      () => inBatchSoftmax(matrix(3, 3), ids(), { logQ: zeros(on.gpu, [9]), temperature: 0 }),
      /temperature 0: a number above 0 would be right/,
    ],
    [
      'labels for other logits',
      () => bceWithLogits(matrix(4, 1), zeros(on.gpu, [3])),
      /labels has the shape \[3\], and it takes \[4\]/,
    ],
    [
      'weights for other logits',
      () => bceWithLogits(matrix(4, 1), zeros(on.gpu, [4]), zeros(on.gpu, [5])),
      /weights has the shape \[5\], and it takes \[4\]/,
    ],
    [
      'ids that are no integers',
      () => embedding({ table: matrix(4, 2), ids: constant([0, 1]) }),
      /ids hold f32, and it takes u32/,
    ],
    [
      'look-ups of two batches',
      () =>
        embedding(
          { table: matrix(4, 2), ids: ids() },
          { table: matrix(4, 2), ids: zeros(on.gpu, [2], { dtype: 'u32' }) },
        ),
      /ids has the shape \[2\], and it takes \[3\]/,
    ],
    [
      'a table that is a vector',
      () => embedding({ table: zeros(on.gpu, [4]), ids: ids() }),
      /table has the shape \[4\], and it takes \[any, any\]/,
    ],
    [
      'BatchNorm over one sample',
      () => batchNorm(matrix(1, 3), norm(3)),
      /a batch of 1: one sample has no variance; 2 or more/,
    ],
    [
      'BatchNorm of other features',
      () => batchNorm(matrix(2, 3), norm(4)),
      /gamma has the shape \[4\], and it takes \[3\]/,
    ],
    [
      'a dropout of everything',
      () => dropout(matrix(2, 3), 1, { seed: 1, layer: 0, step: ids() }),
      /dropout 1: a probability from 0 to below 1/,
    ],
    [
      'values that do not fill the shape',
      () => tensor(on.gpu, [1, 2, 3], { shape: [2, 2] }),
      /3 values do not fill the shape \[2,2\], which holds 4/,
    ],
    ['rows of different lengths', () => constant([[1, 2], [3]]), /row 1 has 1 values, row 0 has 2/],
    [
      'writing too little',
      () => zeros(on.gpu, [3], { label: 'weights' }).write(Float32Array.of(1)),
      /weights: 1 values, and it holds 3/,
    ],
  ];

  it.each(cases)('%s', (_, mistake, message) => {
    expect(mistake).toThrow(ConfigError);
    expect(mistake).toThrow(message);
  });
});
