import { advance } from '../../../src/kernels/advance.ts';
import { bce } from '../../../src/kernels/bce.ts';
import { sum } from '../../../src/kernels/sum.ts';
import { bceGradient, bceLosses } from '../../../test/reference/bce.ts';
import { absolute, hadamard, sum as sumReference } from '../../../test/reference/elementwise.ts';
import { type Case, type Sizes, single, times } from '../case.ts';

/** Loss, its mean, and the end of a step. */
export function stepCases({ rows }: Sizes): Case[] {
  return [
    bceCase(rows, false),
    bceCase(rows, true),
    single('sum', times(rows), { bytes: 4 * rows + 4, flops: rows }, (trial) => {
      const x = trial.draws.vector(rows);
      const expected = [sumReference(x) / rows];
      const out = trial.output('out', expected, [sumReference(absolute(x)) / rows]);
      sum(trial.plan, trial.input(x), out, rows, 1 / rows);
    }),
    single('advance', 'one thread', { bytes: 20 }, (trial) => {
      const loss = Float32Array.of(0.25);
      const step = trial.inPlace('step', Uint32Array.of(6), Uint32Array.of(7));
      const log = trial.inPlace('log', new Float32Array(4).fill(9), [9, 9, 0.25, 9]);
      const trouble = trial.inPlace('trouble', new Uint32Array(4), new Uint32Array(4));
      advance(trial.plan, { step, loss: trial.input(loss), norm: trial.input(Float32Array.of(2)), log, trouble }, 4);
    }),
  ];
}

function bceCase(rows: number, weighted: boolean): Case {
  const shape = `${times(rows)}${weighted ? ', weighted' : ''}`;
  return single('bce', shape, { bytes: (weighted ? 20 : 16) * rows }, (trial) => {
    const logits = trial.draws.vector(rows, -8, 8);
    const labels = Float32Array.from({ length: rows }, (_, i) => Number(i % 5 === 0));
    const weights = weighted ? trial.draws.vector(rows, 0.1, 3) : new Float32Array(rows).fill(1);
    const losses = hadamard(bceLosses(logits, labels), weights);
    const gradient = hadamard(bceGradient(logits, labels), weights).map((value) => value / rows);
    const views = {
      logits: trial.input(logits),
      labels: trial.input(labels),
      ...(weighted && { weights: trial.input(weights) }),
      losses: trial.output('losses', losses, losses),
      gradient: trial.output('gradient', gradient, absolute(gradient)),
    };
    bce(trial.plan, views, rows, 1 / rows);
  });
}
