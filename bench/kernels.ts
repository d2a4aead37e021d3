/** Checks every kernel against the float64 reference, then times it: `node bench/kernels.ts --help`. */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { ConfigError } from '../src/errors.ts';
import { benchmark } from './kernels/benchmark.ts';
import { type Setting, selects, sweep } from './kernels/cases.ts';
import { compareRuns, parseRun, readRun } from './kernels/compare.ts';
import { comparisonLines, jsonLines } from './kernels/json.ts';
import { addOptions, type Options, variantsHelp } from './kernels/options.ts';
import { comparisonReport, report } from './kernels/report.ts';
import type { Subject } from './kernels/results.ts';
import { Stopwatch } from './kernels/stopwatch.ts';
import { runProgram, withGpu } from './program.ts';

const program = new Command('node bench/kernels.ts').description(
  'Checks every kernel against the float64 reference and times it, at the shapes of a training step and its evaluation ' +
    'on a data set of MovieLens-1M’s size (6,040 users, 3,706 items), beside what the adapter can do at most: its own ' +
    'copy bandwidth, and multiply-adds in registers.',
);
addOptions(program);
if (process.argv.some((word) => word === '--help' || word === '-h')) program.addHelpText('after', await variantsHelp());

await runProgram(program, async (filters: string[], options: Options) => {
  const { preset: presets, batch: batches, repeats: rounds, json, out, compare } = options;
  const earlier = compare === undefined ? null : readRun(compare);
  return withGpu(options, async (gpu) => {
    const sets = sweep(gpu, presets, batches, filters);
    if (out !== undefined) write(out, ''); // now, and not after an hour, is when to hear that it cannot be written
    const stopwatch = new Stopwatch(gpu);
    const { adapterName: adapter, adapterKind } = gpu;
    const measured = { adapter, adapterKind, rounds, clock: stopwatch.clock };
    const kept: string[] = [];
    let failed = 0;
    for (const { cases, ...setting } of sets) {
      const what = `${setting.preset}, batch ${setting.batch}`;
      console.error(`${adapter}: ${what}: checking ${cases.length} cases, then timing them in ${rounds} rounds`);
      const results = await benchmark(gpu, cases, stopwatch, rounds);
      const lines = jsonLines(results, setting, measured);
      kept.push(lines);
      if (out !== undefined) write(out, kept.join('\n'));
      console.log(json ? lines : report(results, setting, measured));
      failed += results.failures.length;
    }
    if (earlier && compare !== undefined) {
      const now = parseRun(kept.join('\n'), 'this run');
      const wanted = ({ kernels, preset, batch }: Subject & Setting) =>
        selects(filters, kernels) && presets.includes(preset) && batches.includes(batch);
      const comparison = compareRuns(earlier, now, wanted);
      console.log(json ? comparisonLines(comparison, compare) : comparisonReport(comparison, compare));
    }
    return failed > 0 ? 1 : 0;
  });
});

/** Throws ConfigError when the file cannot be written. */
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new ConfigError(`--out ${file}: it cannot be written: ${(error as Error).message}`);
  }
}
