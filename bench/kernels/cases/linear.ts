import type { Gpu } from '../../../src/gpu/device.ts';
import { Plan } from '../../../src/gpu/plan.ts';
import { statisticsLength } from '../../../src/kernels/batch-norm.ts';
import * as kernels from '../../../src/kernels/linear.ts';
import { featureWidth } from '../../../src/models/layout.ts';
import { absolute, relu } from '../../../test/reference/elementwise.ts';
import * as reference from '../../../test/reference/linear.ts';
import { type Case, hiddenLayers, neumfConfig, type Sizes, single, times } from '../case.ts';
import { blockStatistics } from '../reference.ts';
import { blocksOf, sampleRows, takeColumns, takeRows } from '../sample.ts';

/** Rows of large products that the reference computes, or as much work where each element sums over all rows. */
export const CHECKED_ROWS = 1024;
/** Rows that share partial statistics. */
const BLOCK = 8;
/** A batch that every adapter divides into parts for the weight gradient. */
const LARGE_BATCH = 8192;

/** The hidden layers and the output layer, forward and backward, by every variant that is of use on the adapter. */
export function linearCases(gpu: Gpu, sizes: Sizes): Case[] {
  const { rows, batchNorm } = sizes;
  const hidden = hiddenLayers(sizes);
  const output = { rows, inputs: featureWidth(neumfConfig(sizes)), outputs: 1 };
  const each = (
    size: kernels.LinearSize,
    results: readonly [number, number],
    body: (variant: kernels.ProductVariant) => Case,
  ) => {
    const chosen = kernels.productVariant(gpu, size, ...results);
    return kernels
      .productVariants(gpu, size)
      .filter((variant) => variant !== 'tiled' || gpu.adapterKind === 'hardware')
      .map((variant) => ({ ...body(variant), variant, chosen: variant === chosen }));
  };
  const forward = (size: kernels.LinearSize, behind: Behind) =>
    each(size, [rows, size.outputs], (variant) => linearCase(variant, size, behind));
  const weightGrad = (size: kernels.LinearSize) =>
    each(size, [size.outputs, size.inputs], (variant) => weightGradCase(gpu, variant, size));
  return [
    ...hidden.flatMap((size) => forward(size, batchNorm ? 'statistics' : 'relu')),
    ...forward(output, 'plain'),
    ...[...hidden, output].flatMap((size) =>
      each(size, [rows, size.inputs], (variant) => inputGradCase(variant, size)),
    ),
    ...[...hidden, output].flatMap(weightGrad),
    ...hidden.filter((size) => kernels.backwardInOne(gpu, size)).map(backwardCase),
    ...weightGrad({ ...hidden[0]!, rows: LARGE_BATCH }),
  ];
}

/** The shader of a variant of a product: `tiled` is one for all three, and the shape says which. */
const SHADER = {
  blocks: (name: string) => name,
  subgroup: (name: string) => `${name}_subgroup`,
  tiled: () => 'linear_tiled',
};

const shapeOf = ({ rows, inputs, outputs }: kernels.LinearSize) => `${times(rows)} × ${inputs} → ${outputs}`;

type Behind = 'relu' | 'statistics' | 'plain';

function linearCase(variant: kernels.ProductVariant, size: kernels.LinearSize, behind: Behind): Case {
  const { rows, inputs, outputs } = size;
  const pairs = behind === 'statistics' ? 2 * statisticsLength({ rows, features: outputs }) : 0;
  const bytes = 4 * (rows * inputs + outputs * inputs + outputs + rows * outputs + pairs);
  const shape = `${shapeOf(size)}${behind === 'plain' ? '' : ` ${behind}`}`;
  return single(SHADER[variant]('linear'), shape, { bytes, flops: 2 * rows * inputs * outputs }, (trial) => {
    const [x, weight] = [trial.draws.vector(rows * inputs), trial.draws.vector(outputs * inputs)];
    const bias = trial.draws.vector(outputs);
    const sample = sampleRows(rows, CHECKED_ROWS, BLOCK);
    const [taken, part] = [takeRows(x, sample), { ...size, rows: sample.chosen.length }];
    const expected = reference.linear(taken, weight, bias, part);
    const magnitudes = reference.linear(absolute(taken), absolute(weight), absolute(bias), part);
    const y = trial.sampledOutput('y', sample, behind === 'relu' ? relu(expected) : expected, magnitudes);
    const views = { x: trial.input(x), weight: trial.input(weight), bias: trial.input(bias), y };
    if (behind === 'statistics') {
      const checked = { rows: part.rows, features: outputs };
      const scale = blockStatistics(magnitudes, checked).scale;
      const { values } = blockStatistics(expected, checked);
      const statistics = trial.sampledOutput('statistics', blocksOf(sample, BLOCK), values, scale);
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
    const sample = sampleRows(rows, CHECKED_ROWS, BLOCK);
    const [taken, part] = [takeRows(dy, sample), { ...size, rows: sample.chosen.length }];
    const expected = reference.linearInputGrad(taken, weight, part);
    const magnitudes = reference.linearInputGrad(absolute(taken), absolute(weight), part);
    const dx = trial.sampledOutput('dx', sample, expected, magnitudes);
    kernels.linearInputGrad(trial.plan, { dy: trial.input(dy), weight: trial.input(weight), dx }, size, { variant });
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
      const sample = sampleRows(outputs, Math.ceil((outputs * CHECKED_ROWS) / rows));
      const [taken, part] = [takeColumns(dy, sample), { ...size, outputs: sample.chosen.length }];
      const expected = reference.linearWeightGrad(x, taken, part);
      const scale = reference.linearWeightGrad(absolute(x), absolute(taken), part);
      const dweight = trial.sampledOutput('dweight', sample, expected.dweight, scale.dweight);
      const dbias = trial.sampledOutput('dbias', sample, expected.dbias, scale.dbias);
      const scratch = { weight: trial.scratch(parts * weights), bias: trial.scratch(parts * outputs) };
      const views = { x: trial.input(x), dy: trial.input(dy), dweight, dbias };
      kernels.linearWeightGrad(trial.plan, views, size, { variant, ...(parts > 1 ? { scratch } : {}) });
    },
  };
}

/** Both gradients in one dispatch, as small batches have them on a CPU adapter. */
function backwardCase(size: kernels.LinearSize): Case {
  const { rows, inputs, outputs } = size;
  const bytes = 4 * (2 * rows * inputs + rows * outputs + 2 * outputs * inputs + outputs);
  const flops = 4 * rows * inputs * outputs + rows * outputs;
  return single('linear_backward_subgroup', `gradients ${shapeOf(size)}`, { bytes, flops }, (trial) => {
    const { draws } = trial;
    const [x, dy, weight] = [draws.vector(rows * inputs), draws.vector(rows * outputs), draws.vector(outputs * inputs)];
    const [ofWeight, scale] = [
      reference.linearWeightGrad(x, dy, size),
      reference.linearWeightGrad(absolute(x), absolute(dy), size),
    ];
    const magnitudes = reference.linearInputGrad(absolute(dy), absolute(weight), size);
    const views = {
      x: trial.input(x),
      dy: trial.input(dy),
      weight: trial.input(weight),
      dx: trial.output('dx', reference.linearInputGrad(dy, weight, size), magnitudes),
      dweight: trial.output('dweight', ofWeight.dweight, scale.dweight),
      dbias: trial.output('dbias', ofWeight.dbias, scale.dbias),
    };
    kernels.linearBackward(trial.plan, views, size);
  });
}
