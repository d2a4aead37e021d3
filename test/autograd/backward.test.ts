import { describe, expect, it } from 'vitest';
import { bceWithLogits } from '../../src/autograd/ops/bce.ts';
import { hadamard } from '../../src/autograd/ops/hadamard.ts';
import { linear } from '../../src/autograd/ops/linear.ts';
import { relu } from '../../src/autograd/ops/relu.ts';
import { noGrad, tensor } from '../../src/autograd/tape.ts';
import { ConfigError } from '../../src/errors.ts';
import { useGpu } from '../gpu-fixture.ts';

const on = useGpu();

const parameter = (values: readonly number[] | readonly (readonly number[])[]) =>
  tensor(on.gpu, values, { requiresGrad: true });
const constant = (values: readonly number[] | readonly (readonly number[])[]) => tensor(on.gpu, values);

it('the example: a layer, its rectifier and their gradients', async () => {
  const x = constant([
    [1, 2],
    [-3, 0.5],
  ]);
  const w = parameter([
    [0.5, -1],
    [2, 0.25],
  ]);
  const b = parameter([0.5, -1]);
  const y = relu(linear(x, w, b));
  y.sum().backward();
  expect([...(await y.data())]).toEqual([0, 1.5, 0, 0]);
  expect([...(await w.grad!.data())]).toEqual([0, 0, 1, 2]);
  expect([...(await b.grad!.data())]).toEqual([0, 1]);
});

describe('gradients add up', () => {
  it('where a tensor is used twice, by one op or by several', async () => {
    const x = parameter([2, 3]);
    hadamard(hadamard(x, x), x).sum().backward();
    expect([...(await x.grad!.data())]).toEqual([12, 27]);
  });

  it('where an op’s result is used twice', async () => {
    const x = parameter([2, -3]);
    const y = hadamard(x, constant([10, 10]));
    hadamard(y, relu(y)).sum().backward();
    expect([...(await x.grad!.data())]).toEqual([400, 0]);
  });

  it('over several backward passes, until they are reset', async () => {
    const x = parameter([1, 2]);
    hadamard(x, constant([3, 4]))
      .sum()
      .backward();
    hadamard(x, constant([5, 6]))
      .sum()
      .backward();
    expect([...(await x.grad!.data())]).toEqual([8, 10]);
    x.zeroGrad();
    expect(x.grad).toBeNull();
    hadamard(x, constant([7, 8]))
      .sum()
      .backward();
    expect([...(await x.grad!.data())]).toEqual([7, 8]);
  });

  it('over two losses whose forward passes ran before the first backward', async () => {
    const x = parameter([1, 2]);
    const [first, second] = [hadamard(x, constant([3, 4])).sum(), hadamard(x, constant([5, 6])).sum()];
    first.backward();
    expect([...(await x.grad!.data())]).toEqual([3, 4]);
    second.backward();
    expect([...(await x.grad!.data())]).toEqual([8, 10]);
  });

  it('with a loss on logits that another loss uses too', async () => {
    const logits = parameter([0, 0]);
    const labels = constant([1, 0]);
    bceWithLogits(logits, labels).backward();
    hadamard(logits, constant([1, 1]))
      .sum()
      .backward();
    expect([...(await logits.grad!.data())]).toEqual([0.75, 1.25]);
  });
});

describe('nothing is computed that nobody wants', () => {
  it('a tensor that requires no gradient gets none', async () => {
    const [x, w] = [constant([1, 2]), parameter([3, 4])];
    hadamard(x, w).sum().backward();
    expect(x.grad).toBeNull();
    expect([...(await w.grad!.data())]).toEqual([1, 2]);
  });

  it('noGrad leaves nothing for backward, also when its body throws', () => {
    const x = parameter([1, 2]);
    const y = noGrad(on.gpu, () => hadamard(x, x));
    expect(y.requiresGrad).toBe(false);
    expect(() => y.sum().backward()).toThrow(ConfigError);
    expect(() =>
      noGrad(on.gpu, () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(hadamard(x, x).requiresGrad).toBe(true);
  });

  it('work waits until a result is asked for', async () => {
    const { submits } = on.gpu.counters;
    const y = relu(hadamard(constant([1, -2]), constant([3, 4])));
    expect(on.gpu.counters.submits).toBe(submits);
    expect([...(await y.data())]).toEqual([3, 0]);
    expect(on.gpu.counters.submits).toBe(submits + 2); // the ops together, and the copy back
  });

  it('what an op has read is as it was when the op was called', async () => {
    const x = constant([1, 2]);
    const y = hadamard(x, x);
    x.write(Float32Array.of(5, 6));
    expect([...(await y.data())]).toEqual([1, 4]);
  });
});
