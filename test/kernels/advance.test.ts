import { expect, it } from 'vitest';
import { advance } from '../../src/kernels/advance.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';

const on = useGpu();

/** A clock at step 5 that keeps three losses, and a step's end. */
function clockAt5(loss: number, norm = 2) {
  const trial = new Trial(on.gpu);
  const step = trial.inPlace('step', Uint32Array.of(5));
  const log = trial.inPlace('log', Float32Array.of(-1, -1, -1));
  const trouble = trial.inPlace('trouble', new Uint32Array(4));
  const inputs = { loss: trial.input([loss]), norm: trial.input([norm, 0.5]) };
  advance(trial.plan, { ...inputs, step: step.view, log: log.view, trouble: trouble.view }, 3);
  const set = (name: 'loss' | 'norm', value: number) =>
    on.gpu.write(inputs[name].buffer, inputs[name].offset!, Float32Array.of(value));
  return { plan: trial.plan, step, log, trouble, set };
}

it('a step ends with its loss in the log and the clock one further; the log keeps the last losses', async () => {
  const { plan, step, log, trouble, set } = clockAt5(0.5);
  plan.run();
  expect([...(await log.data())]).toEqual([-1, -1, 0.5]);
  set('loss', 0.25);
  plan.run(2);
  expect([...(await log.data())]).toEqual([0.25, 0.25, 0.5]);
  expect([...(await step.data())]).toEqual([8]);
  expect([...(await trouble.data())]).toEqual([0, 0, 0, 0]);
});

const MOST = 3.4028234663852886e38;

it.each([
  ['loss', Number.NaN],
  ['loss', Number.POSITIVE_INFINITY],
  ['loss', Number.NEGATIVE_INFINITY],
  ['norm', Number.NaN],
  ['norm', Number.POSITIVE_INFINITY],
] as const)(
  'the first step with a %s of %f is noted, and none after it; the largest numbers are none',
  async (name, value) => {
    const { plan, step, log, trouble, set } = clockAt5(-MOST, MOST);
    plan.run();
    expect([...(await trouble.data())], 'the largest numbers').toEqual([0, 0, 0, 0]);
    set(name, value);
    plan.run();
    const noted = await trouble.data();
    const values = new Float32Array(noted.buffer);
    expect([noted[0], values[1], values[2], noted[3]]).toEqual([
      7,
      name === 'loss' ? value : Math.fround(-MOST),
      name === 'norm' ? value : Math.fround(MOST),
      0,
    ]);
    expect((await log.data())[0]).toBe(name === 'loss' ? value : -MOST);
    set(name, 1);
    plan.run();
    set(name, -value);
    plan.run(2);
    expect([...(await trouble.data())], 'later steps').toEqual([...noted]);
    expect([...(await step.data())], 'the clock goes on').toEqual([10]);
  },
);
