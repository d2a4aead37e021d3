import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EndEvent } from '../../../src/train/history.ts';

/** When a process is killed. */
export interface Moment {
  /** Since when the time counts: since it was spawned, or since the run's start event. */
  readonly from: 'spawn' | 'start';
  readonly ms: number;
  /** Whether it is killed only as it next begins to write a file. */
  readonly writing: boolean;
}

/** Milliseconds from spawn to the start event, and from there to the end of the process. */
export interface Times {
  readonly startMs: number;
  readonly trainMs: number;
}

/** What became of it. */
export interface Outcome extends Times {
  /** Its last event, when it came to its end; null when it was killed. */
  readonly ended: EndEvent | null;
  /** What it said when it ended in neither way; null otherwise. */
  readonly trouble: string | null;
}

const TRAIN = fileURLToPath(new URL('../../train.ts', import.meta.url));
/** A run takes seconds; one that takes this long does not end. */
const HANGING_MS = 120_000;

/** Trains in a process of its own, by the command line, and kills it at the moment, if it is still there then. */
export async function train(place: string, args: readonly string[], moment: Moment | null): Promise<Outcome> {
  const out = join(place, args[args.indexOf('--out') + 1]!);
  const spawned = performance.now();
  const env = { ...process.env, NODE_COMPILE_CACHE: join(place, 'compiled') };
  const child = spawn(process.execPath, [TRAIN, ...args, '--json'], {
    cwd: place,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [startMs, stderr] = [Number.NaN, ''];
  let timer: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const kill = () => child.kill('SIGKILL');
  const strike = () => {
    if (!moment?.writing) return kill();
    watcher = watch(out, (_, name) => {
      if (name?.endsWith('.partial')) kill();
    });
  };
  const hanging = setTimeout(kill, HANGING_MS);
  if (moment?.from === 'spawn') timer = setTimeout(strike, moment.ms);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let last = '';
  createInterface(child.stdout).on('line', (line) => {
    last = line;
    if (!line.startsWith('{"event":"start"')) return;
    startMs = performance.now() - spawned;
    if (moment?.from === 'start') timer = setTimeout(strike, moment.ms);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  clearTimeout(hanging);
  watcher?.close();
  const lived = performance.now() - spawned;
  const times = { startMs, trainMs: lived - startMs };
  const ended: EndEvent | null = code === 0 ? JSON.parse(last) : null;
  if (lived >= HANGING_MS) return { ended, trouble: 'it did not end', ...times };
  if (!ended && signal !== 'SIGKILL')
    return { ended, trouble: `it ended with ${code ?? signal}: ${stderr.trim()}`, ...times };
  return { ended, trouble: null, ...times };
}
