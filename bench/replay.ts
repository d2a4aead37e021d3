/** Replays training traces of another framework through the engine and prints how far the two are apart. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Command, InvalidArgumentError } from 'commander';
import { DataError } from '../src/errors.ts';
import type { Gpu } from '../src/gpu/device.ts';
import { addAdapterOption, runProgram, withGpu } from './program.ts';
import { replay } from './replay/replay.ts';
import { parseTrace, type Trace } from './replay/trace.ts';

const program = new Command('node bench/replay.ts')
  .description(
    'Replays traces (initial weights, batches, expected logits, losses, gradient norms, first gradients, final weights) ' +
      'through the engine and prints the largest absolute and relative difference of each quantity.',
  )
  .argument('<file...>', 'trace files (JSON, plain or gzipped)')
  .option('--tolerance <number>', 'largest relative difference that passes', positive, 1e-4)
  .option('--fused', 'by the fused step, which training runs, and which keeps no gradients of embedding tables')
  .option('--json', 'one JSON object a quantity instead of the table')
  .addHelpText(
    'after',
    '\nThe relative difference of a quantity is its largest absolute difference over its largest magnitude.\n' +
      'Exit code 1 when one is beyond the tolerance, 2 when a trace cannot be used.',
  );
addAdapterOption(program);

interface Options {
  readonly tolerance: number;
  readonly adapter: 'auto' | 'hardware' | 'software';
  readonly fused?: boolean;
  readonly json?: boolean;
}

await runProgram(program, async (files: string[], options: Options) => {
  const traces = files.map((file) => ({ file, trace: parseTrace(readTrace(file), file) }));
  return withGpu(options, async (gpu) => {
    let failed = 0;
    for (const { file, trace } of traces) failed += await compare(gpu, trace, file, options);
    if (!options.json) {
      const { tolerance } = options;
      console.log(failed ? `\n${failed} quantities differ by more than ${tolerance}` : `\nall within ${tolerance}`);
    }
    return failed ? 1 : 0;
  });
});

/** Prints the differences of one trace; gives how many are beyond the tolerance. */
async function compare(gpu: Gpu, trace: Trace, file: string, { tolerance, fused, json }: Options): Promise<number> {
  let failed = 0;
  if (!json) console.log(`\n${file}: ${trace.config.model}, ${trace.steps.length} steps, ${trace.source}`);
  for (const { quantity, values, absolute, relative } of await replay(gpu, trace, file, fused)) {
    const passed = relative <= tolerance;
    if (!passed) failed++;
    if (json) {
      console.log(JSON.stringify({ file, quantity, values, absolute, relative, passed }));
      continue;
    }
    const figures = `${absolute.toExponential(2).padStart(10)} ${relative.toExponential(2).padStart(10)}`;
    const verdict = passed ? '' : '  beyond the tolerance';
    console.log(`  ${quantity.padEnd(34)} ${String(values).padStart(7)} ${figures}${verdict}`);
  }
  return failed;
}

function readTrace(file: string): string {
  try {
    const bytes = readFileSync(file);
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DataError(`${file}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('A number above 0 would be right.');
  return value;
}
