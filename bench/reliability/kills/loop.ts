import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors } from '../../../src/models/safetensors.ts';
import { below, pcg4d } from '../../../src/random.ts';
import { checkpointInfo } from '../../../src/train/checkpoint.ts';
import { readFile } from '../../files.ts';
import { type Moment, type Outcome, type Times, train } from './child.ts';

/** Ways of training whose state is not alike, each long enough for several kills. */
const COURSES: readonly (readonly string[])[] = [
  ['--epochs', '8', '--batch-size', '64', '--eval', 'none'],
  ['--epochs', '6', '--batch-size', '64', '--validation'],
  ['--epochs', '4', '--batch-size', '64', '--eval', 'none', '--pretrain', '--pretrain-epochs', '2'],
];
const SIZES = ['--gmf-dim', '64', '--mlp-dim', '64', '--mlp-layers', '8,4'];
/** Some ten times a second. */
const OFTEN = ['--checkpoint-every', '0.0015'];
const RESUMED: readonly string[] = ['--resume', 'run/checkpoint.safetensors', '--data', 'data.csv'];
/** Of the time that the run takes as a whole: up to which kills wait, from its start or when it was resumed. */
const LONGEST = 0.5;

export interface Tally {
  kills: number;
  /** Kills that left a file half written. */
  whileWriting: number;
  /** Kills before the run's first checkpoint, which is then begun again. */
  early: number;
  /** Runs that were killed, resumed and have come to their end. */
  finished: number;
  /** What was not as it should be, a sentence each. */
  readonly wrong: string[];
}

/**
 * Kills runs so many times in all and resumes each until it comes to its end.
 * @param seed draws the moments
 * @param place a folder for the runs
 * @param onKill is called after each
 */
export async function killRuns(count: number, seed: number, place: string, onKill: (tally: Tally) => void = () => {}) {
  const words = new Uint32Array(4);
  let draws = 0;
  const random = (bound: number) => below(pcg4d(words, seed, 0, 0, draws++)[0]!, bound);
  writeFileSync(join(place, 'data.csv'), smallData());
  const tally: Tally = { kills: 0, whileWriting: 0, early: 0, finished: 0, wrong: [] };
  const undisturbed = new Map<readonly string[], Outcome>();
  for (let run = 0; tally.kills < count; run++) {
    const course = COURSES[run % COURSES.length]!;
    const begin = ['--data', 'data.csv', ...SIZES, ...course];
    const straight = undisturbed.get(course) ?? (await train(place, [...begin, '--out', 'straight'], null));
    if (!straight.ended) throw new Error(`a run that nobody killed: ${straight.trouble}`);
    undisturbed.set(course, straight);
    const nextMoment = () => (tally.kills < count ? drawMoment(random, straight) : null);
    const wrong = await killRun(place, begin, straight.ended.weightsSha256, nextMoment, ({ partial, checkpoint }) => {
      tally.kills++;
      if (partial) tally.whileWriting++;
      if (!checkpoint) tally.early++;
      onKill(tally);
    });
    if (wrong === null) tally.finished++;
    else tally.wrong.push(`run ${run + 1}, ${course.join(' ')}, after kill ${tally.kills}: ${wrong}`);
  }
  return tally;
}

/** Kills a run at every moment, resumes it until it comes to its end, and gives what is wrong with it. */
async function killRun(
  place: string,
  begin: readonly string[],
  sha256: string,
  nextMoment: () => Moment | null,
  onKill: (left: Left) => void,
): Promise<string | null> {
  const out = join(place, 'run');
  rmSync(out, { recursive: true, force: true });
  let args = begin;
  for (;;) {
    const { ended, trouble } = await train(place, [...args, ...OFTEN, '--out', 'run'], nextMoment());
    if (trouble) return trouble;
    if (ended) return ended.weightsSha256 === sha256 ? null : `its weights are ${ended.weightsSha256}, not ${sha256}`;
    const left = look(out);
    onKill(left);
    if (left.unreadable) return left.unreadable;
    if (args === RESUMED && !left.checkpoint) return 'its checkpoint is gone';
    if (left.checkpoint) args = RESUMED;
  }
}

/** One in six while it starts; of the others more than half as they next write a file. */
function drawMoment(random: (limit: number) => number, { startMs, trainMs }: Times): Moment {
  if (random(6) === 0) return { from: 'spawn', ms: random(Math.ceil(startMs)), writing: false };
  return { from: 'start', ms: random(Math.ceil(LONGEST * trainMs)), writing: random(5) < 3 };
}

/** What a killed run has left. */
interface Left {
  readonly checkpoint: boolean;
  /** Whether a file is half written beside the whole one. */
  readonly partial: boolean;
  /** Which file cannot be read, and why; null when all can. */
  readonly unreadable: string | null;
}

const READERS: Readonly<Record<string, (path: string) => void>> = {
  'checkpoint.safetensors': (path) => {
    const bytes = readFile(path);
    decodeSafetensors(bytes, path);
    checkpointInfo(bytes, path);
  },
  'history.jsonl': (path) => {
    for (const line of readFileSync(path, 'utf8').trimEnd().split('\n')) JSON.parse(line);
  },
  'report.html': (path) => {
    if (!readFileSync(path, 'utf8').trimEnd().endsWith('</html>')) throw new Error('it has no end');
  },
};

function look(out: string): Left {
  const names = existsSync(out) ? readdirSync(out) : [];
  let unreadable: string | null = null;
  for (const [name, read] of Object.entries(READERS)) {
    try {
      if (names.includes(name)) read(join(out, name));
    } catch (error) {
      unreadable ??= `${name} cannot be read: ${(error as Error).message}`;
    }
  }
  const checkpoint = names.includes('checkpoint.safetensors');
  return { checkpoint, partial: names.some((name) => name.endsWith('.partial')), unreadable };
}

/** Two groups of users, each with 8 of its group's 200 items: user,item,timestamp. */
function smallData(users = 100): string {
  const rows = ['user,item,timestamp'];
  for (let user = 0; user < users; user++) {
    for (let n = 0; n < 8; n++) rows.push(`u${user},i${200 * (user % 2) + ((7 * user + 31 * n) % 200)},${n}`);
  }
  return `${rows.join('\n')}\n`;
}
