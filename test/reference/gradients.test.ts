/** The reference's backward formulas against central differences of its forward ones, both in float64. */
import { expect, it } from 'vitest';
import { centralDifferences } from '../differences.ts';
import { Draws, expectClose } from '../numbers.ts';
import { batchNorm, batchNormBackward } from './batch-norm.ts';
import { bceGradient, bceLosses } from './bce.ts';
import { hadamard, type Numbers, sum } from './elementwise.ts';
import { gather, scatterAdd } from './embedding.ts';
import { linear, linearInputGrad, linearWeightGrad } from './linear.ts';

const draws = new Draws(3);

function expectGradient(gradient: Numbers, at: Numbers, f: (x: Float64Array) => Numbers, dy: Numbers): void {
  const projected = (x: Float64Array) => sum(hadamard(f(x), dy));
  expectClose(gradient, centralDifferences(projected, at), {
    scale: new Float64Array(at.length).fill(1),
    relative: 1e-7,
  });
}

it('the linear layer', () => {
  const size = { rows: 5, inputs: 4, outputs: 3 };
  const [x, weight, bias, dy] = [draws.normal(20), draws.normal(12), draws.normal(3), draws.normal(15)];
  const { dweight, dbias } = linearWeightGrad(x, dy, size);
  expectGradient(linearInputGrad(dy, weight, size), x, (v) => linear(v, weight, bias, size), dy);
  expectGradient(dweight, weight, (v) => linear(x, v, bias, size), dy);
  expectGradient(dbias, bias, (v) => linear(x, weight, v, size), dy);
});

it('BatchNorm', () => {
  const size = { rows: 6, features: 3 };
  const [x, gamma, beta, dy] = [draws.normal(18), draws.normal(3), draws.normal(3), draws.normal(18)];
  const { dx, dgamma, dbeta } = batchNormBackward(x, gamma, dy, size);
  expectGradient(dx, x, (v) => batchNorm(v, gamma, beta, size), dy);
  expectGradient(dgamma, gamma, (v) => batchNorm(x, v, beta, size), dy);
  expectGradient(dbeta, beta, (v) => batchNorm(x, gamma, v, size), dy);
});

it('binary cross-entropy', () => {
  const [logits, labels, dy] = [draws.normal(50, 0, 3), draws.vector(50, 0, 1), draws.normal(50)];
  expectGradient(hadamard(bceGradient(logits, labels), dy), logits, (v) => bceLosses(v, labels), dy);
});

it('the embedding look-up', () => {
  const [table, ids, dy] = [draws.normal(12), draws.ids(9, 4), draws.normal(27)];
  expect(new Set(ids).size).toBeLessThan(9);
  expectGradient(scatterAdd(dy, ids, 4, 3), table, (v) => gather(v, ids, 3), dy);
});
