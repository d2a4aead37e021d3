import { expect, it } from 'vitest';
import { type BatchNormTensors, batchNorm, foldBatchNorm } from '../../src/autograd/ops/batch-norm.ts';
import { dropout } from '../../src/autograd/ops/dropout.ts';
import { hadamard } from '../../src/autograd/ops/hadamard.ts';
import { hiddenLayers } from '../../src/autograd/ops/hidden-layers.ts';
import { linear } from '../../src/autograd/ops/linear.ts';
import { relu } from '../../src/autograd/ops/relu.ts';
import { tensor } from '../../src/autograd/tape.ts';
import { useGpu } from '../gpu-fixture.ts';
import { Draws, expectClose } from '../numbers.ts';
import { EPS } from '../reference/batch-norm.ts';
import { linear as linearReference } from '../reference/linear.ts';

const on = useGpu();

function layer(rows: number, inputs: number, outputs: number) {
  const draws = new Draws(rows);
  const make = (shape: number[], values: Float32Array<ArrayBuffer>) =>
    tensor(on.gpu, values, { shape, requiresGrad: true });
  const norm: BatchNormTensors = {
    gamma: make([outputs], draws.vector(outputs, 0.5, 2)),
    beta: make([outputs], draws.normal(outputs)),
    runningMean: tensor(on.gpu, draws.normal(outputs)),
    runningVar: tensor(on.gpu, draws.vector(outputs, 0.5, 2)),
  };
  return {
    x: make([rows, inputs], draws.normal(rows * inputs)),
    weight: make([outputs, inputs], draws.normal(outputs * inputs)),
    bias: make([outputs], draws.normal(outputs)),
    norm,
    r: tensor(on.gpu, draws.normal(rows * outputs), { shape: [rows, outputs] }),
    dropout: { seed: 4, layer: 2, step: tensor(on.gpu, Uint32Array.of(6)) },
  };
}

it.each([
  [0, 11, 6],
  [0.3, 11, 6],
  [0, 36, 20],
  [0.3, 36, 20],
])(
  'a hidden layer gives what linear, BatchNorm, ReLU and dropout %d give one after the other, %i inputs, %i outputs',
  async (p, inputs, outputs) => {
    const [fused, apart] = [layer(37, inputs, outputs), layer(37, inputs, outputs)];
    const y = hiddenLayers(fused.x, [{ ...fused, p }]);
    const z = linear(apart.x, apart.weight, apart.bias);
    const expected = dropout(relu(batchNorm(z, apart.norm)), p, apart.dropout);
    hadamard(y, fused.r).sum().backward();
    hadamard(expected, apart.r).sum().backward();

    const pairs = [
      [y, expected],
      [fused.norm.runningMean, apart.norm.runningMean],
      [fused.norm.runningVar, apart.norm.runningVar],
      [fused.x.grad!, apart.x.grad!],
      [fused.weight.grad!, apart.weight.grad!],
      [fused.norm.gamma.grad!, apart.norm.gamma.grad!],
      [fused.norm.beta.grad!, apart.norm.beta.grad!],
    ] as const;
    for (const [a, b] of pairs) {
      const values = await b.data();
      const largest = Math.max(...values.map(Math.abs));
      expectClose(await a.data(), values, { scale: values.map(() => largest), relative: 2e-6 });
    }
    // BatchNorm takes the bias away again: apart, rounding noise is left of its gradient; fused, exactly nothing.
    expect([...(await fused.bias.grad!.data())]).toEqual(Array(outputs).fill(0));
    expect(Math.max(...(await apart.bias.grad!.data()).map(Math.abs))).toBeLessThan(1e-5);
  },
);

it('a folded layer evaluates with the running averages', async () => {
  const { x, weight, bias, norm } = layer(9, 11, 6);
  const folded = foldBatchNorm(weight, bias, norm);
  const y = linear(x, folded.weight, folded.bias);
  const [gamma, beta, mean, variance] = [
    await norm.gamma.data(),
    await norm.beta.data(),
    await norm.runningMean.data(),
    await norm.runningVar.data(),
  ];
  const z = linearReference(await x.data(), await weight.data(), await bias.data(), {
    rows: 9,
    inputs: 11,
    outputs: 6,
  });
  const expected = z.map(
    (value, i) => (gamma[i % 6]! * (value - mean[i % 6]!)) / Math.sqrt(variance[i % 6]! + EPS) + beta[i % 6]!,
  );
  expectClose(await y.data(), expected, { scale: expected.map((value) => Math.abs(value) + 10) });
});
