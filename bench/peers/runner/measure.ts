import { setTimeout as sleep } from 'node:timers/promises';
import { GpuError } from '../../../src/errors.ts';
import type { Hello, Task } from '../protocol.ts';
import { Contender } from './contender.ts';
import type { Entry } from './contenders.ts';
import { type Comparison, compare, largestDifference } from './statistics.ts';

/** What was found of one contender at one task. */
export interface Line {
  readonly figure: 'step' | 'epoch' | 'ranking';
  readonly preset: string;
  /** Samples; null where nothing is trained. */
  readonly batchSize: number | null;
  readonly contender: string;
  readonly hello: Hello | null;
  /** Why there are no figures; null when there are. */
  readonly out: string | null;
  /** Milliseconds a step, a sample of an epoch, or a ranking; null when it was only checked, or is out. */
  readonly time: Comparison | null;
  readonly samplesPerSecond: number | null;
  /** Steps: the largest relative difference of the first losses from ours, without dropout. */
  readonly difference: number | null;
  /** The first and the last loss. */
  readonly losses: readonly [number, number] | null;
  /** Milliseconds of drawing that is done once for all epochs; 0 for the others, and for steps. */
  readonly drawnOnce: number;
  /** Rankings: of how many tested users the rank is the same as ours. */
  readonly sameRanks: { readonly users: number; readonly of: number } | null;
}

export interface Measuring {
  readonly rounds: number;
  /** One measurement of steps should take so many seconds. */
  readonly seconds: number;
  /** Seconds that any reply may take. */
  readonly patience: number;
  /** Only compare the losses. */
  readonly checkOnly: boolean;
  readonly say: (progress: string) => void;
}

/** Losses of so many steps are compared with ours. */
const CHECKED_STEPS = 5;
/** Relative; rounding alone makes some 1e-6. */
export const TOLERANCE = 1e-4;
/** Before a measurement, for threads of the contender before to fall asleep. */
const PAUSE_MS = 50;

export interface Runner {
  readonly contender: Contender;
  readonly trace: number[];
  readonly times: number[];
  steps: number;
  last: number;
  drawnOnce: number;
}

/** Training steps on one batch: checks that all contenders do the same step, then times them in turn. */
export function measureSteps(
  entries: readonly Entry[],
  task: Task,
  weights: string,
  batch: string,
  how: Measuring,
): Promise<Line[]> {
  return withRunners(entries, how, async (runners) => {
    const name = `${task.preset}, batch ${task.batchSize}`;
    for (const { contender, trace } of runners) {
      how.say(`${name}: checking ${contender.name}`);
      await contender.prepareSteps({ ...task, dropout: 0 }, weights, batch);
      for (let step = 0; step < CHECKED_STEPS; step++) trace.push((await contender.steps(1))?.loss ?? Number.NaN);
      refuseOther(contender, trace, runners[0].trace);
    }
    if (!how.checkOnly) {
      for (const runner of runners) {
        how.say(`${name}: warming up ${runner.contender.name}`);
        if (task.dropout > 0) await runner.contender.prepareSteps(task, weights, batch);
        runner.steps = await stepsFor(runner.contender, how.seconds);
      }
      await inTurn(runners, how, name, async (runner) => {
        const done = await runner.contender.steps(runner.steps);
        if (!done) return;
        runner.times.push(done.milliseconds / runner.steps);
        runner.last = done.loss;
      });
      for (const { contender, trace, last } of runners) refuseIdle(contender, trace[0], last);
    }
    return runners.map((runner) => {
      const { contender, trace } = runner;
      const difference = contender.out === null ? largestDifference(trace, runners[0].trace) : null;
      return { ...lineOf('step', task, runner, runners[0], 1000 * task.batchSize), difference };
    });
  });
}

/** Whole epochs over the interactions, sampling included; one before is not counted. */
export function measureEpochs(
  entries: readonly Entry[],
  task: Task,
  weights: string,
  interactions: string,
  how: Measuring,
): Promise<Line[]> {
  return withRunners(entries, how, async (runners) => {
    const name = `${task.preset}, batch ${task.batchSize}, epoch`;
    for (const runner of runners) {
      how.say(`${name}: warming up ${runner.contender.name}`);
      const ready = await runner.contender.prepareEpoch(task, weights, interactions);
      runner.drawnOnce = ready?.drawnOnceMilliseconds ?? 0;
      runner.trace.push((await runner.contender.epoch())?.loss ?? Number.NaN);
    }
    await inTurn(runners, how, name, async (runner) => {
      const done = await runner.contender.epoch();
      if (!done) return;
      runner.times.push(done.milliseconds / done.samples);
      runner.last = done.loss;
    });
    for (const { contender, trace, last } of runners) refuseIdle(contender, trace[0], last);
    return runners.map((runner) => lineOf('epoch', task, runner, runners[0], 1000));
  });
}

/** Starts the contenders, ours first, and ends them afterwards. Throws GpuError when ours is out. */
export async function withRunners(
  entries: readonly Entry[],
  { patience }: Measuring,
  body: (runners: Runner[]) => Promise<Line[]>,
): Promise<Line[]> {
  const runners: Runner[] = [];
  try {
    for (const entry of entries) {
      const contender = await Contender.start(entry, patience);
      runners.push({ contender, trace: [], times: [], steps: 0, last: Number.NaN, drawnOnce: 0 });
    }
    const lines = await body(runners);
    if (lines[0].out !== null) throw new GpuError(`${lines[0].contender}: ${lines[0].out}`);
    return lines;
  } finally {
    for (const { contender } of runners) contender.close();
  }
}

/** One measurement of each, round after round: whatever disturbs the machine meets them all. */
export async function inTurn(
  runners: readonly Runner[],
  { rounds, say }: Measuring,
  name: string,
  once: (runner: Runner) => Promise<void>,
) {
  for (let round = 1; round <= rounds; round++) {
    for (const runner of runners) {
      if (runner.contender.out !== null) continue;
      say(`${name}: round ${round} of ${rounds}, ${runner.contender.name}`);
      await sleep(PAUSE_MS);
      await once(runner);
    }
  }
}

/** How many steps fill so many seconds. The shorter of two measurements: a disturbance must not pass for the step. */
async function stepsFor(contender: Contender, seconds: number): Promise<number> {
  let steps = 1;
  await contender.steps(steps);
  for (;;) {
    const times = [await contender.steps(steps), await contender.steps(steps)];
    const milliseconds = Math.min(...times.map((done) => done?.milliseconds ?? Number.POSITIVE_INFINITY));
    // The first measurements are mostly the cost of a submit: tenfold at most.
    if (2 * milliseconds >= 1000 * seconds) return Math.max(1, Math.round((steps * 1000 * seconds) / milliseconds));
    steps = Math.ceil(steps * Math.min(10, (1000 * seconds) / milliseconds));
  }
}

function refuseOther(contender: Contender, trace: readonly number[], ours: readonly number[]): void {
  const difference = largestDifference(trace, ours);
  if (difference <= TOLERANCE) return;
  contender.refuse(`not the same step: losses ${trace.join(', ')}, and ours are ${ours.join(', ')}`);
}

function refuseIdle(contender: Contender, first: number, last: number): void {
  if (!(last < first)) contender.refuse(`it does not train: its loss went from ${first} to ${last}`);
}

/** @param scale samples/s times milliseconds */
function lineOf(figure: Line['figure'], task: Task, runner: Runner, ours: Runner, scale: number): Line {
  const { contender, trace, times, last, drawnOnce } = runner;
  const both = contender.out === null && ours.contender.out === null;
  const time = both && times.length > 0 ? compare(times, ours.times) : null;
  return {
    figure,
    preset: task.preset,
    batchSize: task.batchSize,
    contender: contender.name,
    hello: contender.hello,
    out: contender.out,
    time,
    samplesPerSecond: time && scale / time.median,
    difference: null,
    losses: contender.out === null ? [trace[0], time ? last : trace[trace.length - 1]] : null,
    drawnOnce,
    sameRanks: null,
  };
}
