/** Every op's forward pass against the reference, and its gradients against the reference's central differences. */
import { describe, expect, it } from 'vitest';
import { type BatchNormTensors, batchNorm } from '../../src/autograd/ops/batch-norm.ts';
import { bceWithLogits } from '../../src/autograd/ops/bce.ts';
import { concat } from '../../src/autograd/ops/concat.ts';
import { dropout } from '../../src/autograd/ops/dropout.ts';
import { embedding } from '../../src/autograd/ops/embedding.ts';
import { hadamard } from '../../src/autograd/ops/hadamard.ts';
import { hiddenLayers } from '../../src/autograd/ops/hidden-layers.ts';
import { inBatchSoftmax } from '../../src/autograd/ops/in-batch-softmax.ts';
import { linear, linearRelu } from '../../src/autograd/ops/linear.ts';
import { relu } from '../../src/autograd/ops/relu.ts';
import { split } from '../../src/autograd/ops/split.ts';
import { tensor, zeros } from '../../src/autograd/tape.ts';
import type { Shape, Tensor } from '../../src/autograd/tensor.ts';
import type { LinearSize } from '../../src/kernels/linear.ts';
import { STREAM } from '../../src/random.ts';
import { centralDifferences } from '../differences.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import * as batchNormReference from '../reference/batch-norm.ts';
import { bceLosses } from '../reference/bce.ts';
import * as reference from '../reference/elementwise.ts';
import { gather } from '../reference/embedding.ts';
import { inBatchSoftmaxLosses } from '../reference/in-batch-softmax.ts';
import * as linearReference from '../reference/linear.ts';
import { dropout as dropoutReference } from '../reference/random.ts';
import { atMost, type CheckedOp, expectOp as expectOpOn } from './expect-op.ts';

const on = useGpu();
const draws = new Draws(7);

const expectOp = (...check: CheckedOp) => expectOpOn({ gpu: on.gpu, draws }, ...check);

const SIZE = { rows: 9, inputs: 5, outputs: 7 };
const LINEAR: Shape[] = [[9, 5], [7, 5], [7]];
const FEATURES = { rows: 9, features: 7 };

describe('element by element', () => {
  it('hadamard', () =>
    expectOp(
      [
        [5, 7],
        [5, 7],
      ],
      hadamard,
      reference.hadamard,
    ));

  it('relu', () => expectOp([[9, 7]], relu, reference.relu));

  it('sum and mean', async () => {
    await expectOp(
      [[9, 7]],
      (x) => x.sum(),
      (x) => [reference.sum(x)],
    );
    await expectOp(
      [[257]],
      (x) => x.mean(),
      (x) => [reference.sum(x) / 257],
    );
  });

  it('dropout drops in backward what it dropped in forward', () => {
    const step = tensor(on.gpu, Uint32Array.of(12));
    const counter = { p: 0.4, seed: 3, stream: STREAM.dropout + 2, step: 12 };
    return expectOp(
      [[9, 7]],
      (x) => dropout(x, 0.4, { seed: 3, layer: 2, step }),
      (x) => dropoutReference(x, counter),
    );
  });

  it('dropout with probability 0 is its input', () => {
    const x = tensor(on.gpu, [1, 2]);
    expect(dropout(x, 0, { seed: 1, layer: 0, step: x })).toBe(x);
  });
});

describe('matrices', () => {
  it('concat', () =>
    expectOp(
      [
        [9, 3],
        [9, 5],
      ],
      concat,
      (a, b) => reference.concat(a, b, 3, 5),
    ));

  it('split, both sides used', () =>
    expectOp(
      [[9, 6]],
      (x) => hadamard(...split(x, 3)),
      (x) => reference.hadamard(reference.columns(x, 6, 0, 3), reference.columns(x, 6, 3, 6)),
    ));

  it.each([0, 1])('split, side %i used twice and the other not at all', (which) =>
    expectOp(
      [[9, 7]],
      (x) => {
        const side = split(x, 4)[which]!;
        return concat(side, side);
      },
      (x) => {
        const width = which ? 3 : 4;
        const side = reference.columns(x, 7, which ? 4 : 0, which ? 7 : 4);
        return reference.concat(side, side, width, width);
      },
    ),
  );

  it('linear', () => expectOp(LINEAR, linear, (x, w, b) => linearReference.linear(x, w, b, SIZE)));

  it('linearRelu', () =>
    expectOp(LINEAR, linearRelu, (x, w, b) => reference.relu(linearReference.linear(x, w, b, SIZE))));

  it('linear over so many rows that the weight gradient is summed in parts', async () => {
    const size = { rows: 2100, inputs: 2, outputs: 3 };
    const [x, r] = [draws.normal(2 * size.rows), draws.normal(3 * size.rows)];
    const w = tensor(on.gpu, draws.normal(6), { shape: [3, 2], requiresGrad: true });
    const b = tensor(on.gpu, [1, 2, 3], { requiresGrad: true });
    const y = linear(tensor(on.gpu, x, { shape: [size.rows, 2] }), w, b);
    hadamard(y, tensor(on.gpu, r, { shape: y.shape }))
      .sum()
      .backward();
    const { dweight, dbias } = linearReference.linearWeightGrad(x, r, size);
    expectClose(await w.grad!.data(), dweight, atMost(dweight));
    expectClose(await b.grad!.data(), dbias, atMost(dbias));
  });
});

describe('BatchNorm', () => {
  const norm = (gamma: Tensor, beta: Tensor): BatchNormTensors => ({
    gamma,
    beta,
    runningMean: tensor(on.gpu, new Float32Array(7)),
    runningVar: tensor(on.gpu, new Float32Array(7).fill(1)),
  });

  it('batchNorm', () =>
    expectOp(
      [[9, 7], [7], [7]],
      (x, gamma, beta) => batchNorm(x, norm(gamma, beta)),
      (x, gamma, beta) => batchNormReference.batchNorm(x, gamma, beta, FEATURES),
    ));

  describe.each([
    ['of any sizes', 9, [6, 7, 5]],
    ['of whole tiles, which a CPU adapter computes in one dispatch each', 19, [16, 24, 20]],
  ] as const)('hiddenLayers %s', (_, rows, [inputs, between, outputs]) => {
    it.each([0, 0.3])('one and two of them, with dropout %d', async (p) => {
      const step = tensor(on.gpu, Uint32Array.of(3));
      const layer = (n: number, weight: Tensor, bias: Tensor, gamma: Tensor, beta: Tensor) => {
        const running = { runningMean: zeros(on.gpu, [bias.size]), runningVar: zeros(on.gpu, [bias.size]) };
        return { weight, bias, norm: { gamma, beta, ...running }, p, dropout: { seed: 5, layer: n, step } };
      };
      const expected = (n: number, size: LinearSize, [x, w, b, gamma, beta]: readonly reference.Numbers[]) => {
        const z = linearReference.linear(x!, w!, b!, size);
        const y = batchNormReference.batchNorm(z, gamma!, beta!, { rows, features: size.outputs });
        return dropoutReference(reference.relu(y), { p, seed: 5, stream: STREAM.dropout + n, step: 3 });
      };
      const shapes = (from: number, to: number): Shape[] => [[to, from], [to], [to], [to]];
      await expectOp(
        [[rows, inputs], ...shapes(inputs, between)],
        (x, ...one) => hiddenLayers(x, [layer(1, ...(one as [Tensor, Tensor, Tensor, Tensor]))]),
        (...all) => expected(1, { rows, inputs, outputs: between }, all),
      );
      await expectOp(
        [[rows, inputs], ...shapes(inputs, between), ...shapes(between, outputs)],
        (x, ...all) => {
          const [one, two] = [all.slice(0, 4), all.slice(4)] as [Tensor, Tensor, Tensor, Tensor][];
          return hiddenLayers(x, [layer(1, ...one!), layer(2, ...two!)]);
        },
        (...all) => {
          const y = expected(1, { rows, inputs, outputs: between }, all.slice(0, 5));
          return expected(2, { rows, inputs: between, outputs }, [y, ...all.slice(5)]);
        },
      );
    });
  });
});

describe('embedding', () => {
  const ids = Uint32Array.of(3, 0, 3, 3, 10, 0, 7);
  const others = Uint32Array.of(1, 1, 0, 1, 2, 1, 0);
  const idTensor = (values: Uint32Array<ArrayBuffer>) => tensor(on.gpu, values);

  it('of one table', () =>
    expectOp(
      [[11, 5]],
      (table) => embedding({ table, ids: idTensor(ids) }),
      (table) => gather(table, ids, 5),
    ));

  it('of two tables side by side', () =>
    expectOp(
      [
        [11, 5],
        [3, 6],
      ],
      (users, items) => embedding({ table: users, ids: idTensor(ids) }, { table: items, ids: idTensor(others) }),
      (users, items) => reference.concat(gather(users, ids, 5), gather(items, others, 6), 5, 6),
    ));

  it('of one table, looked up twice', () =>
    expectOp(
      [[11, 4]],
      (table) => embedding({ table, ids: idTensor(ids) }, { table, ids: idTensor(others) }),
      (table) => reference.concat(gather(table, ids, 4), gather(table, others, 4), 4, 4),
    ));

  it('of two tables of different lengths by the same ids', () => {
    const shared = idTensor(others);
    return expectOp(
      [
        [3, 2],
        [11, 2],
      ],
      (short, long) => hadamard(embedding({ table: short, ids: shared }), embedding({ table: long, ids: shared })),
      (short, long) => reference.hadamard(gather(short, others, 2), gather(long, others, 2)),
    );
  });
});

describe('binary cross-entropy', () => {
  const labels = Float32Array.from({ length: 33 }, (_, i) => [0, 1, 0.25][i % 3]!);
  const weights = new Draws(3).vector(33, 0.1, 5);
  const mean = (logits: reference.Numbers) => [reference.sum(bceLosses(logits, labels)) / 33];
  const weighted = (logits: reference.Numbers) => [
    reference.sum(reference.hadamard(bceLosses(logits, labels), weights)) / 33,
  ];

  it('of logits that are a matrix of one column', () =>
    expectOp([[33, 1]], (logits) => bceWithLogits(logits, tensor(on.gpu, labels)), mean));

  it('of samples that do not count alike: their losses by their weights, over their number', () =>
    expectOp([[33, 1]], (logits) => bceWithLogits(logits, tensor(on.gpu, labels), tensor(on.gpu, weights)), weighted));

  it.each([false, true])(
    'as the start of backward gives the gradient that its kernel has computed, weighted: %s',
    async (by) => {
      const logits = draws.normal(33);
      const x = tensor(on.gpu, logits, { requiresGrad: true });
      bceWithLogits(x, tensor(on.gpu, labels), by ? tensor(on.gpu, weights) : undefined).backward();
      const gradient = centralDifferences((v) => (by ? weighted : mean)(v)[0]!, logits);
      expectClose(await x.grad!.data(), gradient, atMost(gradient));
    },
  );

  it('behind a layer, as a model has it', () =>
    expectOp(
      [[33, 4], [1, 4], [1]],
      (x, w, b) => bceWithLogits(linear(x, w, b), tensor(on.gpu, labels)),
      (x, w, b) => mean(linearReference.linear(x, w, b, { rows: 33, inputs: 4, outputs: 1 })),
    ));
});

describe('softmax cross-entropy within a batch', () => {
  const items = Uint32Array.of(3, 0, 5, 3, 1, 1, 4);
  const logQ = Float32Array.from([0.2, 0.3, 0.1, 0.25, 0.1, 0.05], Math.log);
  const temperature = 0.4;
  const options = () => ({ logQ: tensor(on.gpu, logQ), temperature });
  const mean = (logits: reference.Numbers) => {
    const losses = inBatchSoftmaxLosses(logits, { items, logQ, scale: 1 / temperature });
    return [reference.sum(losses) / items.length];
  };

  it('of a matrix of logits', () =>
    expectOp([[7, 7]], (logits) => inBatchSoftmax(logits, tensor(on.gpu, items), options()), mean));

  it('of the products of two towers, as a model has it', () =>
    expectOp(
      [[7, 4], [7, 4], [7]],
      (u, v, bias) => inBatchSoftmax(linear(u, v, bias), tensor(on.gpu, items), options()),
      (u, v, bias) => mean(linearReference.linear(u, v, bias, { rows: 7, inputs: 4, outputs: 7 })),
    ));
});
