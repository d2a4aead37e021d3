import { expect, it } from 'vitest';
import { advance } from '../../src/kernels/advance.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';

const on = useGpu();

it('a step ends with its loss in the log and the clock one further; the log keeps the last losses', async () => {
  const trial = new Trial(on.gpu);
  const step = trial.inPlace('step', Uint32Array.of(5));
  const log = trial.inPlace('log', Float32Array.of(-1, -1, -1));
  const loss = trial.input([0.5]);
  advance(trial.plan, { step: step.view, loss, log: log.view }, 3);
  trial.plan.run();
  expect([...(await log.data())]).toEqual([-1, -1, 0.5]);
  on.gpu.write(loss.buffer, loss.offset!, Float32Array.of(0.25));
  trial.plan.run(2);
  expect([...(await log.data())]).toEqual([0.25, 0.25, 0.5]);
  expect([...(await step.data())]).toEqual([8]);
});
