import { readFileSync } from 'node:fs';
import { ConfigError } from '../../src/errors.ts';
import type { Setting } from './cases.ts';
import { median } from './median.ts';
import { nameOf, type Subject } from './results.ts';

/** A run as `jsonLines` wrote it, and what comparing takes of it. */
export interface KeptRun {
  readonly adapter: string;
  /** Medians of the ceilings, which are measured with every preset and batch. */
  readonly ceilings: { readonly gigabytesPerSecond: number; readonly gigaflopsPerSecond: number };
  readonly kernels: ReadonlyMap<string, TimedSubject>;
}

interface TimedSubject extends Subject, Setting {
  /** The median of the rounds. */
  readonly microseconds: number;
}

/** One kernel at one shape in both runs, or in only one of them. */
export interface Compared extends Subject {
  readonly earlier: number | null;
  readonly now: number | null;
  /** earlier / now: above 1 is faster now. */
  readonly ratio: number | null;
}

export interface Comparison {
  readonly earlier: KeptRun;
  readonly now: KeptRun;
  readonly lines: readonly Compared[];
  /** Of the ratios; null where the runs have no kernel and shape in common. */
  readonly geometricMean: number | null;
}

/** Reads a run that `--out` kept. Throws ConfigError when the file cannot be read or holds something else. */
export function readRun(file: string): KeptRun {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigError(`--compare ${file}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
  return parseRun(text, `--compare ${file}`);
}

/** @param name of the file, for the message of a ConfigError */
export function parseRun(text: string, name: string): KeptRun {
  const wrong = (what: string) =>
    new ConfigError(`${name}: ${what}; a file that --out of bench/kernels.ts wrote would be right`);
  const bandwidths: number[] = [];
  const rates: number[] = [];
  const kernels = new Map<string, TimedSubject>();
  let adapter: string | null = null;
  for (const [i, line] of text.trimEnd().split('\n').entries()) {
    const object = parseObject(line);
    if (typeof object?.ceiling === 'string' && typeof object.adapter === 'string') {
      adapter ??= object.adapter;
      if (object.adapter !== adapter) throw wrong(`line ${i + 1} is of another adapter than those before it`);
      if (isPositive(object.gigabytesPerSecond)) bandwidths.push(object.gigabytesPerSecond);
      if (isPositive(object.gigaflopsPerSecond)) rates.push(object.gigaflopsPerSecond);
    } else if (adapter !== null && isSubject(object)) {
      const { kernels: names, shape, variant, preset, batch, microseconds } = object;
      const subject = { kernels: names, shape, ...(variant !== undefined && { variant }), preset, batch };
      if (isPositive(microseconds)) kernels.set(nameOf(subject), { ...subject, microseconds });
      else if (object.passed !== false) throw wrong(`line ${i + 1} has no time`);
    } else {
      throw wrong(`line ${i + 1} is none of a run's`);
    }
  }
  const ceilings = { gigabytesPerSecond: median(bandwidths), gigaflopsPerSecond: median(rates) };
  return { adapter: adapter!, ceilings, kernels };
}

type Json = Readonly<Record<string, unknown>>;

function parseObject(line: string): Json | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' ? (value as Json | null) : null;
  } catch {
    return null;
  }
}

const isPositive = (value: unknown): value is number => typeof value === 'number' && value > 0;

function isSubject(object: Json | null): object is Json & Subject & Setting {
  const { kernels, shape, variant = '', preset, batch } = object ?? {};
  const named = Array.isArray(kernels) && kernels.length > 0 && kernels.every((kernel) => typeof kernel === 'string');
  const texts = [shape, variant, preset].every((text) => typeof text === 'string');
  return named && texts && typeof batch === 'number';
}

/**
 * Those of the present run in its order, then those that only the earlier one has.
 * @param wanted whether this run would have measured a kernel of the earlier one, if it still were there
 */
export function compareRuns(earlier: KeptRun, now: KeptRun, wanted: (each: Subject & Setting) => boolean): Comparison {
  const gone = [...earlier.kernels].filter(([name, each]) => !now.kernels.has(name) && wanted(each));
  const lines = [...now.kernels, ...gone].map(([name, { kernels, shape, variant }]): Compared => {
    const [before, after] = [earlier, now].map((run) => run.kernels.get(name)?.microseconds ?? null);
    const ratio = before !== null && after !== null ? before! / after! : null;
    return { kernels, shape, ...(variant !== undefined && { variant }), earlier: before!, now: after!, ratio };
  });
  const logarithms = lines.flatMap(({ ratio }) => (ratio === null ? [] : [Math.log(ratio)]));
  const mean = logarithms.reduce((sum, value) => sum + value, 0) / logarithms.length;
  return { earlier, now, lines, geometricMean: logarithms.length > 0 ? Math.exp(mean) : null };
}
