/** Checks every kernel against the float64 reference, then times it: `node bench/kernels.ts --help`. */
import { Command, Option } from 'commander';
import { formatBytes } from '../src/gpu/format.ts';
import { PRESETS } from '../src/models/config.ts';
import { benchmark } from './kernels/benchmark.ts';
import { sizesOf } from './kernels/case.ts';
import { kernelCases, selectCases } from './kernels/cases.ts';
import { jsonLines } from './kernels/json.ts';
import { gigabytesPerSecond, type Results } from './kernels/results.ts';
import { Stopwatch } from './kernels/stopwatch.ts';
import { digits, shortName, table } from './kernels/table.ts';
import { TOLERANCE } from './kernels/trial.ts';
import { addAdapterOption, integer, runProgram, withGpu } from './program.ts';

const program = new Command('node bench/kernels.ts')
  .description(
    'Checks every kernel against the float64 reference and times it, at the shapes of a training step and its evaluation ' +
      'on a data set of MovieLens-1M’s size (6,040 users, 3,706 items), beside the adapter’s own copy bandwidth.',
  )
  .argument('[filter...]', 'parts of kernels’ names: only those whose names hold one of them')
  .addOption(
    new Option('--preset <name>', 'whose layers to take the shapes from')
      .choices(Object.keys(PRESETS))
      .default('paper-8'),
  )
  .option('--batch <n>', 'samples in a batch', integer(2, 2 ** 20), 1024)
  .option('--repeats <n>', 'rounds, of about 20 ms for each line', integer(1, 1000), 9)
  .option('--json', 'one JSON object a line instead of the table: the copy first, then the kernels');
addAdapterOption(program);
program.addHelpText(
  'after',
  `
Columns:
  error         largest difference from the reference, relative to the magnitudes that went into the element;
                up to ${TOLERANCE.toExponential(0)} passes, and integers and copies have to be exact; kernels that work hand in hand
                are checked together
  median µs     one replay: the median of the rounds; min–max is their spread. All lines are timed round by round, in
                turn, so that whatever disturbs the machine meets them all. Replays stand in one pass, each waiting for
                the one before it, so that "advance", one thread, shows what a dispatch costs at least
  GB/s          every input read once and every output written once, over the median
  GFLOP/s       additions, multiplications, divisions and roots of the formula
  % of copy     GB/s over those of copyBufferToBuffer on a buffer larger than the caches. Replays find their inputs in
                the caches where those are large enough, as in training, and may exceed it
Several kernels on a line are replayed in that order; a few stand only together, as they use up each other's results.
Exit code 1 when a check fails (that kernel is not timed), 2 when nothing can be run.`,
);

interface Options {
  readonly preset: string;
  readonly batch: number;
  readonly repeats: number;
  readonly json?: boolean;
  readonly adapter: 'auto' | 'hardware' | 'software';
}

interface Setting extends Readonly<Record<string, string | number>> {
  readonly adapter: string;
}

await runProgram(program, (filters: string[], { preset, batch, repeats: rounds, json, adapter: choice }: Options) =>
  withGpu({ adapter: choice }, async (gpu) => {
    const cases = selectCases(kernelCases(gpu, sizesOf(preset, batch)), filters);
    const stopwatch = new Stopwatch(gpu);
    const { adapterName: adapter, adapterKind } = gpu;
    console.error(`${adapter}: checking ${cases.length} cases, then timing them in ${rounds} rounds`);
    const results = await benchmark(gpu, cases, stopwatch, rounds);
    const setting = { adapter, adapterKind, preset, batch, rounds, clock: stopwatch.clock };
    console.log(json ? jsonLines(results, setting) : text(results, setting));
    return results.failures.length > 0 ? 1 : 0;
  }),
);

function text(results: Results, { adapter, adapterKind, preset, batch, rounds, clock }: Setting): string {
  const { copy, failures } = results;
  const bandwidth = digits(gigabytesPerSecond(copy.bytes, copy.time));
  return [
    `${adapter} (${adapterKind}), ${preset}, batch ${batch}; medians of ${rounds} rounds by ${clock}`,
    `copyBufferToBuffer: ${bandwidth} GB/s read and written, ${formatBytes(copy.bytes / 2)}, by the host’s clock`,
    'Replays read the same inputs: those that fit the caches come from there.',
    '',
    table(results),
    ...failures.map(({ kernels, shape, failure }) => `FAILED ${shortName(kernels)}, ${shape}: ${failure}`),
  ].join('\n');
}
