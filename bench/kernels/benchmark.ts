import { GpuOutOfMemoryError } from '../../src/errors.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { Plan } from '../../src/gpu/plan.ts';
import type { Case, Timed } from './case.ts';
import { copyCeiling, multiplyAddCase } from './ceilings.ts';
import { measure, type Run } from './measure.ts';
import { median } from './median.ts';
import type { Failure, Line, Results } from './results.ts';
import type { Stopwatch } from './stopwatch.ts';
import { Trial } from './trial.ts';

/** What passed the check and waits to be timed. */
interface Candidate {
  readonly line: Omit<Line, 'time'>;
  readonly run: Run;
  /** One for the same part of all variants at a shape, another for all else. */
  readonly group: unknown;
}

/** Checks all cases, then times the ceilings and those that passed, all in the same rounds, variants one after another. */
export async function benchmark(
  gpu: Gpu,
  cases: readonly Case[],
  stopwatch: Stopwatch,
  rounds: number,
): Promise<Results> {
  const failures: Failure[] = [];
  const trials: Trial[] = [];
  const check = async (each: Case): Promise<Candidate[]> => {
    const { record, timed, ...subject } = each;
    const trial = new Trial(gpu, subject.kernels[0]!);
    trials.push(trial);
    try {
      record(trial);
    } catch (error) {
      if (!(error instanceof GpuOutOfMemoryError)) throw error;
      failures.push({ ...subject, failure: error.message });
      return [];
    }
    await trial.plan.compile();
    const { failure, ...found } = await trial.check();
    if (failure !== null) {
      failures.push({ ...subject, failure });
      return [];
    }
    return timed.map((part) => {
      const { first, end, ...work } = part;
      const line = { ...subject, kernels: subject.kernels.slice(first, end), ...work, ...found };
      return { line, run: replay(trial, part, stopwatch), group: groupOf(each, part) };
    });
  };
  const ceiling = await check(multiplyAddCase(gpu));
  const passed: Candidate[] = [];
  for (const each of cases) passed.push(...(await check(each)));
  const groups = [...Map.groupBy(passed, ({ group }) => group).values()];

  const copy = copyCeiling(gpu, stopwatch);
  const runs = [copy.run, ...[...ceiling, ...groups.flat()].map(({ run }) => run)];
  const times = await measure(gpu, runs, rounds);
  for (const owner of [copy, ...trials]) owner.destroy();
  const timeOf = ({ run }: { readonly run: Run }) => times[runs.indexOf(run)]!;
  const lines = groups.flatMap(([first, ...others]) => {
    const time = timeOf(first!);
    if (others.length === 0) return [{ ...first!.line, time }];
    return [first!, ...others].map((each) => {
      const own = timeOf(each);
      const ratioToFirst = median(own.rounds.map((microseconds, round) => time.rounds[round]! / microseconds));
      return { ...each.line, time: own, ratioToFirst };
    });
  });
  return {
    copy: { bytes: copy.bytes, time: timeOf(copy) },
    multiplyAdd: ceiling.map((each) => ({ flops: each.line.flops!, time: timeOf(each) }))[0] ?? null,
    failures,
    lines,
  };
}

function groupOf({ variant, shape, kernels }: Case, part: Timed): unknown {
  if (variant === undefined) return part;
  const { first, end } = part;
  return `${shape}: ${first === 0 && end === kernels.length ? 'all' : `${first} to ${end}`}`;
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
