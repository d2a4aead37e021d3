import type { Gpu } from '../../../src/gpu/device.ts';
import { Plan } from '../../../src/gpu/plan.ts';
import { weightGradParts } from '../../../src/kernels/linear.ts';
import * as kernels from '../../../src/kernels/output.ts';
import { featureWidth } from '../../../src/models/layout.ts';
import { bceGradient, bceLosses } from '../../../test/reference/bce.ts';
import { absolute, concat, fromIndex, hadamard } from '../../../test/reference/elementwise.ts';
import * as reference from '../../../test/reference/linear.ts';
import { type Case, neumfConfig, type Sizes, single, times } from '../case.ts';
import type { Trial } from '../trial.ts';

/** The output layer of the preset's NeuMF with its loss, and their gradients. */
export function outputCases(gpu: Gpu, sizes: Sizes): Case[] {
  const dim = sizes.gmfDim;
  const size = { rows: sizes.rows, dim, width: featureWidth(neumfConfig(sizes)) - dim };
  return [bceCase(size, false), bceCase(size, true), gradCase(gpu, size)];
}

/** p, q and y of a batch, and φ = [p ⊙ q ; y]. */
function features(trial: Trial, { rows, dim, width }: kernels.OutputSize) {
  const [pairs, y] = [trial.draws.vector(2 * rows * dim), trial.draws.vector(rows * width)];
  const product = hadamard(pairs.subarray(0, rows * dim), pairs.subarray(rows * dim));
  return { pairs, y, phi: concat(product, y, dim, width) };
}

function bceCase(size: kernels.OutputSize, weighted: boolean): Case {
  const { rows, dim, width } = size;
  const columns = dim + width;
  const bytes = 4 * (2 * rows * (2 * dim + width) + columns + (weighted ? 6 : 5) * rows);
  const work = { bytes, flops: rows * (7 * dim + 3 * width) };
  const shape = `${times(rows)} × (${dim} + ${width})${weighted ? ', weighted' : ''}`;
  return single('output_bce', shape, work, (trial) => {
    const { draws } = trial;
    const { pairs, y, phi } = features(trial, size);
    const [weight, bias, labels] = [draws.vector(columns), draws.vector(1), draws.vector(rows, 0, 1)];
    const layer = { rows, inputs: columns, outputs: 1 };
    const logits = reference.linear(phi, weight, bias, layer);
    const magnitude = reference.linear(absolute(phi), absolute(weight), absolute(bias), layer);
    const weights = weighted ? draws.vector(rows, 0.1, 3) : new Float32Array(rows).fill(1);
    const losses = hadamard(bceLosses(logits, labels), weights);
    const gradient = hadamard(bceGradient(logits, labels), weights);
    const samples = fromIndex(4 * rows, (i) => {
      const r = Math.floor(i / 4);
      return [logits[r]!, losses[r]!, gradient[r]! / rows, 0][i % 4]!;
    });
    // A logit's rounding goes on into all that follows from it.
    const scales = fromIndex(4 * rows, (i) => {
      const m = magnitude[Math.floor(i / 4)]!;
      const u = weights[Math.floor(i / 4)]!;
      return [m, u * (m + 1), (u * (m + 1)) / rows, (m + 1) / rows][i % 4]!;
    });
    const [dim2, half] = [2 * rows * dim, rows * dim];
    const of = (i: number, d: number) => [Math.floor((i % half) / d), i % d] as const;
    const dpairs = fromIndex(dim2, (i) => {
      const [r, c] = of(i, dim);
      return (gradient[r]! / rows) * weight[c]! * pairs[(i + half) % dim2]!;
    });
    const dy = fromIndex(rows * width, (i) => (gradient[Math.floor(i / width)]! / rows) * weight[dim + (i % width)]!);
    const views = {
      pairs: trial.input(pairs),
      y: trial.input(y),
      weight: trial.input(weight),
      bias: trial.input(bias),
      labels: trial.input(weighted ? Float32Array.from([...labels, ...weights]) : labels),
      samples: trial.output('samples', samples, scales),
      dpairs: trial.output(
        'dpairs',
        dpairs,
        dpairs.map(() => 1 / rows),
      ),
      dy: trial.output(
        'dy',
        dy,
        dy.map(() => 1 / rows),
      ),
    };
    kernels.outputBce(trial.plan, views, size, weighted);
  });
}

function gradCase(gpu: Gpu, size: kernels.OutputSize): Case {
  const { rows, dim, width } = size;
  const columns = dim + width;
  const bytes = 4 * (rows * (2 * dim + width + 4) + columns + 2);
  const shape = `${times(rows)} × (${dim} + ${width})`;
  const { parts } = weightGradParts(new Plan(gpu, 'parts'), rows);
  const kernelNames = ['output_grad', ...(parts > 1 ? ['sum_parts', 'sum_parts', 'sum_parts'] : [])];
  const timed = [{ first: 0, end: kernelNames.length, bytes, flops: rows * (3 * dim + 2 * width) }];
  const record = (trial: Trial) => {
    const { pairs, y, phi } = features(trial, size);
    const samples = trial.draws.vector(4 * rows, 0.1, 1);
    const [losses, gradient] = [1, 2].map((part) => fromIndex(rows, (r) => samples[4 * r + part]!)) as [
      Float64Array,
      Float64Array,
    ];
    const layer = { rows, inputs: columns, outputs: 1 };
    const { dweight, dbias } = reference.linearWeightGrad(phi, gradient, layer);
    const magnitude = reference.linearWeightGrad(absolute(phi), gradient, layer);
    const mean = Float64Array.of(losses.reduce((sum, loss) => sum + loss, 0) / rows);
    const views = {
      pairs: trial.input(pairs),
      y: trial.input(y),
      samples: trial.input(samples),
      dweight: trial.output('dweight', dweight, magnitude.dweight),
      dbias: trial.output('dbias', dbias, magnitude.dbias),
      loss: trial.output('loss', mean, mean),
    };
    const scratch = {
      dweight: trial.scratch(parts * columns),
      dbias: trial.scratch(parts),
      loss: trial.scratch(parts),
    };
    kernels.outputGrad(trial.plan, views, size, parts > 1 ? scratch : undefined);
  };
  return { kernels: kernelNames, shape, timed, record };
}
