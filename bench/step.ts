/** What a training step costs, beside what it must cost: `node bench/step.ts --help`. */
import { Command } from 'commander';
import { ConfigError } from '../src/errors.ts';
import type { Gpu } from '../src/gpu/device.ts';
import { PRESETS } from '../src/models/config.ts';
import { modelConfig, resolveSettings } from '../src/train/settings.ts';
import { benchmark } from './kernels/benchmark.ts';
import { times } from './kernels/case.ts';
import { gigabytesPerSecond, gigaflopsPerSecond } from './kernels/results.ts';
import { Stopwatch } from './kernels/stopwatch.ts';
import { aligned, digits } from './kernels/table.ts';
import { addAdapterOption, addListOption, integer, integers, names, runProgram, withGpu } from './program.ts';
import { costOf, total } from './step/cost.ts';
import { distinctRows, generated, type Size } from './step/generated.ts';
import { type Kind, recorded } from './step/recorded.ts';
import { measureSteady, type Steady } from './step/steady.ts';

const program = new Command('node bench/step.ts').description(
  'Times training steps on generated data sets and prints, beside each, the bytes that it must move and the operations ' +
    'that it must compute, the two floors that they give on the adapter’s own ceilings, and the host’s part.',
);
addListOption(program, '--preset <list>', Object.keys(PRESETS).join(', '), names(Object.keys(PRESETS)), [
  'paper-8',
  'lesson',
]);
addListOption(program, '--batch <list>', 'samples in a batch', integers(2, 2 ** 20), [256, 4096]);
addListOption(
  program,
  '--size <list>',
  'users x items x interactions of a user',
  (text) => text.split(',').map(checked),
  ['6040x3706x163'],
);
addListOption(program, '--step <list>', 'fused, plain', names(['fused', 'plain']), ['fused']);
program
  .option('--rounds <n>', 'rounds of about 0.2 s', integer(1, 1000), 9)
  .option('--json', 'one JSON object a line instead of the table');
addAdapterOption(program);
program.addHelpText(
  'after',
  `
Columns:
  MB, GFLOP     the cost model: every dispatch’s inputs read once and outputs written once; all operations of the
                formulas, with Adam’s on every row of every table (bench/step/cost.ts has the formulas)
  floor ms      MB over the adapter’s copy bandwidth, and GFLOP over its multiply-adds in registers: the larger bounds
  ms            a step, the median of the rounds; min–max is their spread
  × floor       ms over the larger floor
  host µs       the host’s time for one dispatch: encoding and submitting
  heap B/step   growth of the collected JavaScript heap; objects/step: buffers and bind groups made
Before the table stands how long a first step took from the start of the process, by parts, without making up the data.
Exit code 2 when nothing can be run.`,
);

interface Options {
  readonly preset: readonly string[];
  readonly batch: readonly number[];
  readonly size: readonly string[];
  readonly step: readonly Kind[];
  readonly rounds: number;
  readonly json?: boolean;
  readonly adapter: 'auto' | 'hardware' | 'software';
}

const HEADINGS = [
  'step',
  'preset',
  'users × items',
  'batch',
  'dispatches',
  'MB',
  'GFLOP',
  'floor ms (copy, fma)',
  'ms',
  'min–max',
  '× floor',
  'samples/s',
  'host µs',
  'heap B/step',
  'objects/step',
];
const TEXT_COLUMNS = 3;

await runProgram(program, async (options: Options) => {
  const loaded = performance.now(); // since the process began
  return withGpu(options, async (gpu) => {
    const rows: string[][] = [];
    const start = await startUp(gpu, options, loaded);
    const { copy, multiplyAdd } = await benchmark(gpu, [], new Stopwatch(gpu), options.rounds);
    const ceilings = {
      gigabytes: gigabytesPerSecond(copy.bytes, copy.time),
      gigaflops: multiplyAdd ? gigaflopsPerSecond(multiplyAdd.flops, multiplyAdd.time) : Number.NaN,
    };
    const { adapterName: adapter } = gpu;
    if (options.json) console.log(JSON.stringify({ adapter, ...ceilings, startUpMilliseconds: start }));
    for (const size of options.size.map(sizeOf)) {
      const split = generated(size);
      for (const preset of options.preset) {
        for (const batch of options.batch) {
          const settings = resolveSettings({ preset, batchSize: batch });
          const distinct = distinctRows(split, batch, settings.negatives);
          const cost = total(
            costOf(modelConfig(settings, size.users, size.items), {
              rows: batch,
              distinct,
              clipped: settings.clipNorm !== null,
            }),
          );
          const floors = {
            copy: cost.bytes / ceilings.gigabytes / 1e6,
            multiplyAdd: cost.flops / ceilings.gigaflops / 1e6,
          };
          for (const step of options.step) {
            const wait = Math.round((size.users + size.items) / (distinct.users + distinct.items));
            const plan = recorded(gpu, split, settings, step, wait);
            await plan.compile();
            const steady = await measureSteady(gpu, plan, options.rounds);
            const result = {
              step,
              preset,
              ...size,
              batch,
              dispatches: plan.dispatches.length,
              ...cost,
              floors,
              ...steady,
            };
            if (options.json) console.log(JSON.stringify(result));
            else rows.push(cells(result));
          }
        }
      }
    }
    if (!options.json) {
      const { total: all, ...parts } = start;
      const named = Object.entries(parts).map(([part, milliseconds]) => `${part} ${digits(milliseconds)}`);
      console.log(`first step ${digits(all)} ms after the process began: ${named.join(', ')}`);
      console.log(
        `${adapter}: copies ${digits(ceilings.gigabytes)} GB/s, multiply-adds ${digits(ceilings.gigaflops)} GFLOP/s`,
      );
      console.log(aligned([HEADINGS, ...rows], (column) => column >= TEXT_COLUMNS));
    }
    return 0;
  });
});

/**
 * Milliseconds from the start of the process to the end of a first step, without making up its data. Drivers that keep
 * compiled shaders on disk are faster from the second time on.
 */
async function startUp(gpu: Gpu, { size, preset, batch, step }: Options, loaded: number) {
  const opened = performance.now();
  const split = generated(sizeOf(size[0]!));
  const made = performance.now();
  const plan = recorded(gpu, split, { preset: preset[0]!, batchSize: batch[0]! }, step[0]!);
  const done = performance.now();
  await plan.compile();
  const compiled = performance.now();
  plan.run();
  await gpu.idle();
  const end = performance.now();
  return {
    total: end - (made - opened),
    modules: loaded,
    adapter: opened - loaded,
    model: done - made,
    compiling: compiled - done,
    step: end - compiled,
  };
}

interface Result extends Size, Steady {
  readonly step: Kind;
  readonly preset: string;
  readonly batch: number;
  readonly dispatches: number;
  readonly bytes: number;
  readonly flops: number;
  readonly floors: { readonly copy: number; readonly multiplyAdd: number };
}

function cells(result: Result): string[] {
  const { step, preset, users, items, batch, dispatches, bytes, flops, floors, milliseconds, least, most } = result;
  return [
    step,
    preset,
    times(users, items),
    batch.toLocaleString('en-US'),
    String(dispatches),
    digits(bytes / 1e6),
    digits(flops / 1e9),
    `${digits(floors.copy)}, ${digits(floors.multiplyAdd)}`,
    digits(milliseconds),
    `${digits(least)}–${digits(most)}`,
    digits(milliseconds / Math.max(floors.copy, floors.multiplyAdd)),
    Math.round((1000 * batch) / milliseconds).toLocaleString('en-US'),
    digits(result.hostMicroseconds),
    digits(Math.max(0, result.heapBytes)),
    digits(result.objects),
  ];
}

/** The text itself, when it is a size. Throws ConfigError. */
function checked(text: string): string {
  const { users, items, perUser } = sizeOf(text);
  if (/^\d+x\d+x\d+$/.test(text) && users > 0 && perUser > 0 && 2 * perUser <= items) return text;
  throw new ConfigError(
    `--size ${text}: users x items x interactions of a user, at most half the items, such as 6040x3706x163, would be right`,
  );
}

function sizeOf(text: string): Size {
  const [users, items, perUser] = text.split('x').map(Number) as [number, number, number];
  return { users, items, perUser };
}
