import type { Gpu } from '../../src/gpu/device.ts';
import { Plan } from '../../src/gpu/plan.ts';
import type { Case, Timed } from './case.ts';
import { copyCeiling } from './ceilings.ts';
import { measure, type Run } from './measure.ts';
import type { Failure, Line, Results } from './results.ts';
import type { Stopwatch } from './stopwatch.ts';
import { Trial } from './trial.ts';

/** Checks all cases, then times the copy and those that passed, all in the same rounds. */
export async function benchmark(
  gpu: Gpu,
  cases: readonly Case[],
  stopwatch: Stopwatch,
  rounds: number,
): Promise<Results> {
  const failures: Failure[] = [];
  const passed: (Omit<Line, 'time'> & { readonly run: Run })[] = [];
  const trials: Trial[] = [];
  for (const each of cases) {
    const { kernels, shape, timed } = each;
    const trial = new Trial(gpu, kernels[0]!);
    trials.push(trial);
    each.record(trial);
    await trial.plan.compile();
    const { error, failure } = await trial.check();
    if (failure !== null) {
      failures.push({ kernels, shape, failure });
      continue;
    }
    for (const part of timed) {
      const { first, end, ...work } = part;
      const run = replay(trial, part, stopwatch);
      passed.push({ kernels: kernels.slice(first, end), shape, error, ...work, run });
    }
  }
  const copy = copyCeiling(gpu, stopwatch);
  const [copyTime, ...times] = await measure(gpu, [copy.run, ...passed.map(({ run }) => run)], rounds);
  const lines = passed.map(({ run: _, ...line }, i) => ({ ...line, time: times[i]! }));
  for (const owner of [copy, ...trials]) owner.destroy();
  return { copy: { bytes: copy.bytes, time: copyTime! }, failures, lines };
}

/** Replays part of a trial's plan in one pass, each time after the one before it, as training does. */
function replay(trial: Trial, { first, end }: Timed, stopwatch: Stopwatch): Run {
  const { gpu, label, dispatches } = trial.plan;
  const [before, timed] = [new Plan(gpu, label), new Plan(gpu, label)];
  before.dispatches.push(...dispatches.slice(0, end));
  timed.dispatches.push(...dispatches.slice(first, end));
  return {
    prepare() {
      trial.reset();
      before.run();
    },
    time: (times) =>
      stopwatch.pass((pass) => {
        for (let i = 0; i < times; i++) timed.encode(pass);
      }),
  };
}
