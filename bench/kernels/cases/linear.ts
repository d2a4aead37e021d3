import type { Gpu } from '../../../src/gpu/device.ts';
import { Plan } from '../../../src/gpu/plan.ts';
import { statisticsLength } from '../../../src/kernels/batch-norm.ts';
import * as kernels from '../../../src/kernels/linear.ts';
import { featureWidth } from '../../../src/models/layout.ts';
import { absolute, relu } from '../../../test/reference/elementwise.ts';
import * as reference from '../../../test/reference/linear.ts';
import { type Case, neumfConfig, type Sizes, single, times } from '../case.ts';
import { blockStatistics } from '../reference.ts';

/** A batch that every adapter divides into parts for the weight gradient. */
const LARGE_BATCH = 8192;

/** The hidden layers and the output layer, forward and backward, by every variant that the adapter can run. */
export function linearCases(gpu: Gpu, sizes: Sizes): Case[] {
  const { rows, mlpDim, mlpLayers, batchNorm } = sizes;
  const hidden = mlpLayers.map((outputs, i) => ({ rows, inputs: i ? mlpLayers[i - 1]! : 2 * mlpDim, outputs }));
  const output = { rows, inputs: featureWidth(neumfConfig(sizes)), outputs: 1 };
  const variants = kernels.productVariants(gpu);
  const each = (body: (variant: kernels.ProductVariant) => Case) => variants.map(body);
  return [
    ...hidden.flatMap((size) => each((variant) => linearCase(variant, size, batchNorm ? 'statistics' : 'relu'))),
    ...each((variant) => linearCase(variant, output, 'plain')),
    ...[...hidden, output].flatMap((size) => each((variant) => inputGradCase(variant, size))),
    ...[...hidden, output].flatMap((size) => each((variant) => weightGradCase(gpu, variant, size))),
    ...each((variant) => weightGradCase(gpu, variant, { ...hidden[0]!, rows: LARGE_BATCH })),
  ];
}

/** The subgroup variant is one shader for all three products: the shape says which. */
const SHADER = { blocks: (name: string) => name, subgroup: () => 'linear_subgroup' };

const shapeOf = ({ rows, inputs, outputs }: kernels.LinearSize) => `${times(rows)} × ${inputs} → ${outputs}`;

function linearCase(
  variant: kernels.ProductVariant,
  size: kernels.LinearSize,
  behind: 'relu' | 'statistics' | 'plain',
): Case {
  const { rows, inputs, outputs } = size;
  const blocks = { rows, features: outputs };
  const pairs = behind === 'statistics' ? 2 * statisticsLength(blocks) : 0;
  const bytes = 4 * (rows * inputs + outputs * inputs + outputs + rows * outputs + pairs);
  const shape = `${shapeOf(size)}${behind === 'plain' ? '' : ` ${behind}`}`;
  return single(SHADER[variant]('linear'), shape, { bytes, flops: 2 * rows * inputs * outputs }, (trial) => {
    const [x, weight] = [trial.draws.vector(rows * inputs), trial.draws.vector(outputs * inputs)];
    const bias = trial.draws.vector(outputs);
    const expected = reference.linear(x, weight, bias, size);
    const magnitudes = reference.linear(absolute(x), absolute(weight), absolute(bias), size);
    const y = trial.output('y', behind === 'relu' ? relu(expected) : expected, magnitudes);
    const views = { x: trial.input(x), weight: trial.input(weight), bias: trial.input(bias), y };
    if (behind === 'statistics') {
      const scale = blockStatistics(magnitudes, blocks).scale;
      const statistics = trial.output('statistics', blockStatistics(expected, blocks).values, scale);
      kernels.linear(trial.plan, views, size, { statistics, variant });
    } else {
      kernels.linear(trial.plan, views, size, { relu: behind === 'relu', variant });
    }
  });
}

function inputGradCase(variant: kernels.ProductVariant, size: kernels.LinearSize): Case {
  const { rows, inputs, outputs } = size;
  const bytes = 4 * (rows * outputs + outputs * inputs + rows * inputs);
  const shape = `input gradient ${shapeOf(size)}`;
  return single(SHADER[variant]('linear_input_grad'), shape, { bytes, flops: 2 * rows * inputs * outputs }, (trial) => {
    const [dy, weight] = [trial.draws.vector(rows * outputs), trial.draws.vector(outputs * inputs)];
    const expected = reference.linearInputGrad(dy, weight, size);
    const dx = trial.output('dx', expected, reference.linearInputGrad(absolute(dy), absolute(weight), size));
    kernels.linearInputGrad(trial.plan, trial.input(dy), trial.input(weight), dx, size, variant);
  });
}

/** As training has it: in one dispatch, or, where the batch is divided, in parts that are then added up. */
function weightGradCase(gpu: Gpu, variant: kernels.ProductVariant, size: kernels.LinearSize): Case {
  const { rows, inputs, outputs } = size;
  const { parts } = kernels.weightGradParts(new Plan(gpu, 'parts'), rows);
  const [ins, outs] = [rows * (inputs + outputs), outputs * inputs + outputs];
  const flops = 2 * rows * inputs * outputs + rows * outputs;
  const whole = { first: 0, end: parts > 1 ? 3 : 1, bytes: 4 * (ins + outs), flops };
  const weights = outputs * inputs;
  return {
    kernels: [SHADER[variant]('linear_weight_grad'), ...(parts > 1 ? ['sum_parts', 'sum_parts'] : [])],
    shape: `weight gradient ${shapeOf(size)}${parts > 1 ? ` in ${parts} parts` : ''}`,
    timed:
      parts > 1
        ? [
            whole,
            { first: 0, end: 1, bytes: 4 * (ins + parts * outs), flops },
            { first: 1, end: 2, bytes: 4 * (parts + 1) * weights, flops: (parts - 1) * weights },
          ]
        : [whole],
    record(trial) {
      const [x, dy] = [trial.draws.vector(rows * inputs), trial.draws.vector(rows * outputs)];
      const expected = reference.linearWeightGrad(x, dy, size);
      const scale = reference.linearWeightGrad(absolute(x), absolute(dy), size);
      const dweight = trial.output('dweight', expected.dweight, scale.dweight);
      const dbias = trial.output('dbias', expected.dbias, scale.dbias);
      const scratch = { weight: trial.scratch(parts * weights), bias: trial.scratch(parts * outputs) };
      const views = { x: trial.input(x), dy: trial.input(dy), dweight, dbias };
      kernels.linearWeightGrad(trial.plan, views, size, { variant, ...(parts > 1 ? { scratch } : {}) });
    },
  };
}
