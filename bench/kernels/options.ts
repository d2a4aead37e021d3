import { type Command, Option } from 'commander';
import { GpuError } from '../../src/errors.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { PRESETS } from '../../src/models/config.ts';
import { addAdapterOption, addListOption, integer, integers, names } from '../program.ts';
import { sizesOf } from './case.ts';
import { CHECKED_ROWS, linearCases } from './cases/linear.ts';
import { TOLERANCE } from './trial.ts';

export interface Options {
  readonly preset: readonly string[];
  readonly batch: readonly number[];
  readonly repeats: number;
  readonly json?: boolean;
  readonly out?: string;
  readonly compare?: string;
  readonly adapter: 'auto' | 'hardware' | 'software';
}

const DEFAULT = { preset: 'paper-8', batch: 1024 };
const ALL = { preset: Object.keys(PRESETS), batch: [256, 4096, 65536] };

export function addOptions(program: Command): void {
  program.argument('[filter...]', 'parts of kernels’ names: only those whose names hold one of them');
  addListOption(program, '--preset <list>', `whose layers: ${ALL.preset.join(', ')}`, names(ALL.preset), [
    DEFAULT.preset,
  ]);
  addListOption(program, '--batch <list>', 'samples in a batch', integers(2, 2 ** 20), [DEFAULT.batch]);
  program
    .addOption(
      new Option(
        '--sweep',
        `all presets at batches ${ALL.batch.join(', ')}, unless --preset or --batch name others; on a CPU adapter hours`,
      ).implies(ALL),
    )
    .option('--repeats <n>', 'rounds, of about 20 ms for each line', integer(1, 1000), 9)
    .option('--json', 'one JSON object a line instead of the tables: the ceilings first, then the kernels')
    .option('--out <file>', 'keeps the run in a file, as --json prints it')
    .option('--compare <file>', 'compares with a run that --out kept: its medians beside the present ones');
  addAdapterOption(program);
  program.addHelpText('after', COLUMNS);
}

const COLUMNS = `
Every preset and batch is a table of its own; a shape that several have stands in the first. Columns:
  variant       of products that can be computed in several ways; * is the one that training takes
  error         largest difference from the float64 reference, relative to the magnitudes that went into the element;
                up to ${TOLERANCE.toExponential(0)} passes, and integers and copies have to be exact; kernels that work hand in hand are
                checked together. ~ stands before that of products of more than ${CHECKED_ROWS} samples, of whose rows ${CHECKED_ROWS}
                are compared, evenly spread (of weight gradients as much work), while the others must be numbers
  median µs     one replay: the median of the rounds; min–max is their spread. All lines are timed round by round, in
                turn, so that whatever disturbs the machine meets them all. Replays stand in one pass, each waiting for
                the one before it, so that "advance", one thread, shows what a dispatch costs at least
  × first       the first variant's time over this one's, the median of the rounds: above 1 is faster than the first
  GB/s          every input read once and every output written once, over the median
  GFLOP/s       additions, multiplications, divisions and roots of the formula
  % of copy     GB/s over those of copyBufferToBuffer on a buffer larger than the caches. Replays find their inputs in
                the caches where those are large enough, as in training, and may exceed it
  % of multiply-add
                GFLOP/s over those of multiply-adds (two each) in registers alone. The larger of both shares says what
                bounds a kernel; where both are small, something else does
Several kernels on a line are replayed in that order; a few stand only together, as they use up each other's results.
With --compare a last table has earlier / now of each kernel, shape and variant, above 1 where it is faster now, and
what only one of the runs has; what this run's filters, presets and batches leave out is not compared.
Exit code 1 when a check fails or a buffer is too large for the adapter (that kernel is not timed), 2 when nothing can be run.`;

/** Which variants of products the adapter has, and which of them training takes at the default's shapes. */
export async function variantsHelp(): Promise<string> {
  const title = '\nVariants of a linear layer’s products';
  try {
    const gpu = await Gpu.open();
    const { preset, batch } = DEFAULT;
    const cases = linearCases(gpu, sizesOf(preset, batch));
    const lines = [...new Set(cases.map(({ variant }) => variant))].map((variant) => {
      const shapes = cases.filter((each) => each.variant === variant && each.chosen).map(({ shape }) => shape);
      return `  ${variant}: ${shapes.join('; ') || 'nowhere'}`;
    });
    const adapter = gpu.adapterName;
    gpu.close();
    return [`${title} on ${adapter}, and where training takes them (${preset}, batch ${batch}):`, ...lines].join('\n');
  } catch (error) {
    if (error instanceof GpuError) return `${title} depend on the adapter. Here: ${error.message}`;
    throw error;
  }
}
