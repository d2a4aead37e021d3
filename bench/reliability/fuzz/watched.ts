/** Cases run in a worker, so that one that never ends is noticed and said. */
import { Worker } from 'node:worker_threads';
import type { Outcome } from './outcome.ts';
import type { Kind } from './worker.ts';

/** Milliseconds that a case may take: a gzip bomb takes some seconds, all others a few milliseconds. */
const LONGEST_CASE = 60_000;

export interface Range {
  readonly kind: Kind;
  readonly seed: number;
  readonly first: number;
  readonly count: number;
}

/** A case that went wrong. */
export interface Failure {
  readonly number: number;
  readonly message: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

export interface Report {
  readonly outcomes: Record<Outcome, number>;
  readonly failures: readonly Failure[];
}

/** What the worker says of a case. */
export type Told = { readonly number: number } & (
  | { readonly outcome: Outcome }
  | { readonly failure: Omit<Failure, 'number'> }
);

/** Runs the cases one after the other. Goes on behind a case that breaks the worker or never ends. */
export async function watched(range: Range, onProgress: (done: number) => void): Promise<Report> {
  const outcomes = { read: 0, refused: 0 };
  const failures: Failure[] = [];
  const end = range.first + range.count;
  let next = range.first;
  const note = (told: Told) => {
    next = told.number + 1;
    if ('outcome' in told) outcomes[told.outcome]++;
    else failures.push({ number: told.number, ...told.failure });
    onProgress(next - range.first);
  };
  let until = end;
  while (next < end) {
    const broken = await runUntilBroken({ ...range, first: next, count: until - next }, note);
    if (broken && next < broken.number) {
      until = broken.number; // what it had not told yet is run again, and then the case that broke it
      continue;
    }
    if (broken) failures.push({ ...broken, files: {} });
    if (broken) next = broken.number + 1;
    until = end;
  }
  return { outcomes, failures };
}

/** The case that broke the worker, and how; null when it came to its end. */
function runUntilBroken(
  range: Range,
  onTold: (told: Told) => void,
): Promise<{ readonly number: number; readonly message: string } | null> {
  const present = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { ...range, present } });
  return new Promise((resolve) => {
    let seen = -1;
    let left = range.count;
    const end = (message: string | null) => {
      clearInterval(watch);
      void worker.terminate();
      resolve(message === null ? null : { number: range.first + present[0]!, message });
    };
    const watch = setInterval(() => {
      if (present[0] === seen) end(`no end within ${LONGEST_CASE / 1000} s`);
      seen = present[0]!;
    }, LONGEST_CASE);
    worker.on('message', (all: readonly Told[]) => {
      all.forEach(onTold);
      left -= all.length;
      if (left === 0) end(null);
    });
    worker.on('error', (error) => end(`the process broke: ${error.message}`));
    worker.on('exit', () => end('the process ended'));
  });
}
