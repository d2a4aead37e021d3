import type { Gpu } from '../../../src/gpu/device.ts';
import { concat, split } from '../../../src/kernels/concat.ts';
import { dropout } from '../../../src/kernels/dropout.ts';
import * as kernels from '../../../src/kernels/elementwise.ts';
import { STREAM } from '../../../src/random.ts';
import * as reference from '../../../test/reference/elementwise.ts';
import { dropout as dropoutReference } from '../../../test/reference/random.ts';
import { type Case, type Sizes, single, times } from '../case.ts';

const { absolute } = reference;

/** Elements of the streams: 64 MiB an array on a GPU, whose caches are large; a CPU adapter would take seconds. */
const STREAMED = { hardware: 2 ** 24, software: 2 ** 22 };

/** GMF's product, the hidden layers' ReLU and dropout, the two branches side by side, and plain streams. */
export function elementwiseCases({ adapterKind }: Gpu, { rows, gmfDim, mlpLayers }: Sizes): Case[] {
  const streamed = STREAMED[adapterKind];
  const product = rows * gmfDim;
  const sides = { rows, left: gmfDim, right: mlpLayers.at(-1)! };
  const both = rows * (sides.left + sides.right);
  const sidesShape = `${times(rows)} × (${sides.left} + ${sides.right})`;
  return [
    single('fill', times(streamed), { bytes: 4 * streamed }, (trial) => {
      const out = trial.output('out', new Float32Array(streamed).fill(1.5));
      kernels.fill(trial.plan, trial.input(Float32Array.of(3)), out, streamed, 0.5);
    }),
    single('add', times(streamed), { bytes: 12 * streamed, flops: streamed }, (trial) => {
      const [initial, x] = [trial.draws.vector(streamed), trial.draws.vector(streamed)];
      const sum = trial.inPlace(
        'sum',
        initial,
        reference.add(initial, x),
        reference.add(absolute(initial), absolute(x)),
      );
      kernels.add(trial.plan, sum, trial.input(x), streamed);
    }),
    single('hadamard', times(rows, gmfDim), { bytes: 12 * product, flops: product }, (trial) => {
      const [a, b] = [trial.draws.vector(product), trial.draws.vector(product)];
      const expected = reference.hadamard(a, b);
      const out = trial.output('out', expected, absolute(expected));
      kernels.hadamard(trial.plan, trial.input(a), trial.input(b), out, product);
    }),
    single('hadamard_backward', times(rows, gmfDim), { bytes: 20 * product, flops: 2 * product }, (trial) => {
      const [a, b, dy] = [trial.draws.vector(product), trial.draws.vector(product), trial.draws.vector(product)];
      const [da, db] = [reference.hadamard(dy, b), reference.hadamard(dy, a)];
      const outputs = { da: trial.output('da', da, absolute(da)), db: trial.output('db', db, absolute(db)) };
      const inputs = { a: trial.input(a), b: trial.input(b), dy: trial.input(dy) };
      kernels.hadamardBackward(trial.plan, { ...inputs, ...outputs }, product);
    }),
    ...mlpLayers.flatMap((units) => activationCases(rows, units)),
    single('concat', sidesShape, { bytes: 8 * both }, (trial) => {
      const [a, b] = [trial.draws.vector(rows * sides.left), trial.draws.vector(rows * sides.right)];
      const out = trial.output('out', reference.concat(a, b, sides.left, sides.right));
      concat(trial.plan, trial.input(a), trial.input(b), out, sides);
    }),
    single('split', sidesShape, { bytes: 8 * both }, (trial) => {
      const width = sides.left + sides.right;
      const x = trial.draws.vector(both);
      const a = trial.output('a', reference.columns(x, width, 0, sides.left));
      const b = trial.output('b', reference.columns(x, width, sides.left, width));
      split(trial.plan, trial.input(x), a, b, sides);
    }),
  ];
}

function activationCases(rows: number, units: number): Case[] {
  const hidden = rows * units;
  return [
    single('relu', times(rows, units), { bytes: 8 * hidden }, (trial) => {
      const x = trial.draws.vector(hidden);
      kernels.relu(trial.plan, trial.input(x), trial.output('out', reference.relu(x)), hidden);
    }),
    single('relu_backward', times(rows, units), { bytes: 12 * hidden }, (trial) => {
      const [y, dy] = [trial.draws.vector(hidden), trial.draws.vector(hidden)];
      const dx = trial.output('dx', reference.reluBackward(y, dy));
      kernels.reluBackward(trial.plan, trial.input(y), trial.input(dy), dx, hidden);
    }),
    single('dropout', times(rows, units), { bytes: 8 * hidden }, (trial) => {
      const x = trial.draws.vector(hidden);
      const counter = { p: 0.2, seed: 42, stream: STREAM.dropout, step: 5 };
      const expected = dropoutReference(x, counter);
      const y = trial.output('y', expected, absolute(expected));
      const key = { ...counter, step: trial.input(Uint32Array.of(counter.step)) };
      dropout(trial.plan, trial.input(x), y, hidden, key);
    }),
  ];
}
