import { type Dataset, loadDataset } from '../../../src/data/dataset.ts';
import { Gpu } from '../../../src/gpu/device.ts';
import { blobSource } from '../../../src/platform/browser-files.ts';
import { below, pcg4d } from '../../../src/random.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../../../src/train/checkpoint.ts';
import type { EpochEvent } from '../../../src/train/history.ts';
import { LastingRun, type LastingRunOptions } from '../../../src/train/lasting-run.ts';
import type { TrainSettings } from '../../../src/train/settings.ts';
import { Trainer } from '../../../src/train/trainer.ts';
import { verdict } from '../../../src/train/verdict.ts';
import { type Call, type Moment, Saboteur, type When } from './saboteur.ts';

/** A short run that is made again and again. */
interface Course {
  readonly name: string;
  readonly settings: Partial<TrainSettings>;
  readonly options?: LastingRunOptions;
  /** Whether it begins within an epoch, from a checkpoint. */
  readonly resumed?: boolean;
}

const PAPER = { gmfDim: 2, mlpDim: 2, mlpLayers: [4, 2], batchSize: 128, lr: 0.01, eval: 'both', epochs: 2 } as const;
const COURSES: readonly Course[] = [
  { name: 'the paper’s way, validated', settings: { ...PAPER, validation: true, patience: 1, epochs: 3 } },
  { name: 'kept at every submit', settings: PAPER, options: { keepSeconds: 0, stepsPerSubmit: 3 } },
  {
    name: 'the lesson’s way',
    settings: { ...PAPER, preset: 'lesson', schedule: 'constant', sampler: 'popularity' },
    options: { keepSeconds: 0.01, stepsPerSubmit: 2 },
  },
  { name: 'pre-trained', settings: { ...PAPER, epochs: 1 }, options: { pretrain: { epochs: 1 } } },
  { name: 'resumed', settings: PAPER, resumed: true },
];

/** LastingRun gives up when another device is lost before anything was kept: a fourth loss in a row. */
const MOST_LOSSES = 3;
/** A run takes a second or two; with the waits between its attempts, one that takes this long does not end. */
const HANGING_MS = 120_000;
const WHENS: readonly When[] = ['before', 'after', 'later'];

export interface Tally {
  runs: number;
  losses: number;
  /** Losses by the call at which the device was destroyed. */
  readonly calls: Map<Call, number>;
  /** Events that said so: two devices may be lost before the next one is ready. */
  recoveries: number;
  /** What ended otherwise than without a loss, with what came of it. */
  readonly wrong: string[];
}

/**
 * Runs short trainings, destroys their devices at random moments until so many were lost, and compares what comes of them
 * with what comes of the same runs undisturbed: weights, histories but for their times, figures.
 * @param onRun is called after each
 */
export async function loseDevices(
  count: number,
  seed: number,
  onRun: (tally: Tally) => Promise<void> | void = () => {},
): Promise<Tally> {
  (await Gpu.open()).close(); // the saboteur needs its classes
  using saboteur = new Saboteur();
  const dataset = await smallData();
  const undisturbed = new Map<Course, Undisturbed>();
  const random = generator(seed);
  const tally: Tally = { runs: 0, losses: 0, calls: new Map(), recoveries: 0, wrong: [] };
  while (tally.losses < count) {
    const course = COURSES[tally.runs % COURSES.length]!;
    const expected = undisturbed.get(course) ?? (await leaveAlone(dataset, course, saboteur));
    undisturbed.set(course, expected);
    const nextMoment = (): Moment => {
      const [call, calls] = expected.calls[random(expected.calls.length)]!;
      return { call, others: random(calls), when: WHENS[random(WHENS.length)]! };
    };
    let losses = 0;
    const onLoss = (at: Call): void => {
      losses++;
      tally.losses++;
      tally.calls.set(at, (tally.calls.get(at) ?? 0) + 1);
      if (losses < MOST_LOSSES && tally.losses < count) saboteur.destroyAt(nextMoment(), onLoss);
    };
    const gpu = await Gpu.open();
    saboteur.destroyAt(nextMoment(), onLoss);
    const onRecovered = () => tally.recoveries++;
    const ended = account(gpu, dataset, course.settings, { ...expected.options, onRecovered });
    const outcome = await Promise.race([ended, hanging()]).catch((error: Error) => `${error.name}: ${error.message}`);
    saboteur.rest();
    tally.runs++;
    if (outcome !== expected.outcome) tally.wrong.push(`run ${tally.runs}, ${course.name}: ${outcome}`);
    await onRun(tally);
  }
  return tally;
}

/** What comes of a course without a loss, and how many calls of each kind it makes. */
interface Undisturbed {
  readonly options: LastingRunOptions;
  readonly outcome: string;
  readonly calls: readonly (readonly [Call, number])[];
}

async function leaveAlone(
  dataset: Dataset,
  { settings, options: given, resumed }: Course,
  { calls }: Saboteur,
): Promise<Undisturbed> {
  const options = { ...given, ...(resumed && { begin: await checkpointToResume(dataset) }) };
  const gpu = await Gpu.open();
  const before = new Map(calls);
  const outcome = await account(gpu, dataset, settings, options);
  const made = [...calls].map(([call, n]) => [call, n - (before.get(call) ?? 0)] as const);
  return { options, outcome, calls: made.filter(([, n]) => n > 0) };
}

/** Runs a course to its end and tells all that is the same whenever it is run. */
async function account(
  gpu: Gpu,
  dataset: Dataset,
  settings: Partial<TrainSettings>,
  options: LastingRunOptions,
): Promise<string> {
  const run = await LastingRun.create(gpu, dataset, settings, options);
  try {
    const epochs: unknown[] = [];
    for await (const epoch of run) epochs.push(timeless(epoch));
    const end = await run.withTrainer(async (trainer) => {
      const figures = await verdict(trainer, trainer.baselines());
      return { best: trainer.best, ...figures, step: trainer.step, sha: await trainer.weightsSha256() };
    });
    const { trainer, pretraining } = run;
    const history = [...(pretraining?.history ?? []), ...trainer.history].map(timeless);
    return JSON.stringify({ epochs, history, end });
  } finally {
    run.close();
  }
}

/** In one order: that of what a checkpoint gives back is another. */
function timeless({ seconds: _, evalSeconds: __, samplesPerSecond: ___, ...event }: EpochEvent) {
  return Object.entries(event).sort(([one], [other]) => (one < other ? -1 : 1));
}

function hanging(): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('it does not end'), HANGING_MS);
    (timer as { unref?: () => void }).unref?.();
  });
}

/** 40 users with 10 items each of their own half of 60. */
function smallData(): Promise<Dataset> {
  const rows = ['user,item,timestamp'];
  for (let user = 0; user < 40; user++) {
    for (let n = 0; n < 10; n++) rows.push(`u${user},i${30 * (user % 2) + ((7 * user + 3 * n) % 30)},${n}`);
  }
  return loadDataset(blobSource(new Blob([rows.join('\n')]), 'small.csv'), { validation: true });
}

/** What a run begins with that was stopped within its first epoch. */
async function checkpointToResume(dataset: Dataset): Promise<(trainer: Trainer) => void> {
  using gpu = await Gpu.open();
  const stop = new AbortController();
  const interlude = { due: () => true, hold: async () => stop.abort() };
  const trainer = await Trainer.create(gpu, dataset.split, PAPER, {
    stepsPerSubmit: 2,
    interlude,
    signal: stop.signal,
  });
  for await (const _ of trainer);
  const bytes = await encodeCheckpoint(trainer, dataset);
  return (fresh) => restoreCheckpoint(fresh, bytes, 'a checkpoint', dataset);
}

/** Draws whole numbers below a bound. */
function generator(seed: number): (bound: number) => number {
  const words = new Uint32Array(4);
  let drawn = 0;
  return (bound) => below(pcg4d(words, seed, 0, 0, drawn++)[0]!, bound);
}
