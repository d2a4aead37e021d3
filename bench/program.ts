/** What the command lines share: the adapter's option, bounded integers, and errors as one line with an exit code. */
import { type Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ConfigError, DataError, GpuError, GpuOutOfMemoryError, NonFiniteError } from '../src/errors.ts';
import { Gpu, type OpenOptions } from '../src/gpu/device.ts';
import { printable } from '../src/printable.ts';

const EXPECTED = [ConfigError, DataError, GpuError];

export function addAdapterOption(program: Command): void {
  program.addOption(
    new Option('--adapter <kind>', 'which WebGPU adapter to use')
      .choices(['auto', 'hardware', 'software'])
      .default('auto'),
  );
}

/** Parses an option's value: an integer from `least` to `most`. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`An integer from ${least} to ${most} would be right.`);
  };
}

/** Parses an option's value: names of `known` between commas. */
export function names(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const given = text.split(',');
    const wrong = given.find((name) => !known.includes(name));
    if (wrong === undefined) return given;
    throw new InvalidArgumentError(`"${wrong}" is none of ${known.join(', ')}.`);
  };
}

/** Parses an option's value: integers from `least` to `most` between commas. */
export function integers(least: number, most: number): (text: string) => number[] {
  return (text) => text.split(',').map(integer(least, most));
}

/** Adds an option that takes a list, whose default --help shows as it would be given. */
export function addListOption(
  program: Command,
  flags: string,
  description: string,
  parse: (text: string) => readonly unknown[],
  fallback: readonly unknown[],
): void {
  program.addOption(new Option(flags, description).argParser(parse).default(fallback, fallback.join(',')));
}

/** Opens the adapter, says on stderr when it is a slow one, and closes it when `body` is done. */
export async function withGpu<T>(options: OpenOptions, body: (gpu: Gpu) => Promise<T>): Promise<T> {
  const gpu = await Gpu.open(options);
  try {
    if (gpu.adapterKind === 'software') {
      console.error(`note: ${gpu.adapterName} is a software adapter, so this is slow; ${gpu.hint}`);
    }
    return await body(gpu);
  } finally {
    gpu.close();
  }
}

/** Parses the command line and runs `action`, which gives the exit code; see parseProgram. */
export async function runProgram<A extends unknown[]>(
  program: Command,
  action: (...args: A) => Promise<number>,
): Promise<void> {
  setAction(program, action);
  await parseProgram(program);
}

/** What a command does: `action` takes its arguments and options, and gives the exit code. */
export function setAction<A extends unknown[]>(command: Command, action: (...args: A) => Promise<number>): void {
  command.action(async (...args) => {
    process.exitCode = await action(...(args as unknown as A));
  });
}

/**
 * Parses the command line and runs what it asks for. Bad options, data and settings, and a GPU that fails, end with one
 * line on stderr and exit code 2; training that leaves the numbers with one and exit code 1, as what was asked for could
 * be done, but has failed; anything else is a bug and keeps its stack.
 */
export async function parseProgram(program: Command): Promise<void> {
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ outputError: (text, write) => write(text.replace(/\n(?=.)/g, ' ')) });
  }
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') console.error(`note: nothing more can be written to stdout: ${message}`); // else a reader left, as `head` does
  });
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (EXPECTED.some((kind) => error instanceof kind)) {
      console.error(printable(`error: ${(error as Error).message}`));
      if (error instanceof GpuOutOfMemoryError && error.plan) console.error(error.plan);
      process.exitCode = 2;
    } else if (error instanceof NonFiniteError) {
      console.error(printable(`error: ${error.message}`));
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}
