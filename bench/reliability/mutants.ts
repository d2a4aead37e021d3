/** Whether the tests notice a wrong gradient: `node bench/reliability/mutants.ts --help`. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { GpuError } from '../../src/errors.ts';
import { names, runProgram } from '../program.ts';
import { BACKWARD_KERNELS } from './mutants/kernels.ts';
import { type Mutant, mutantsOf } from './mutants/mutants.ts';

const SHADERS = BACKWARD_KERNELS.map(({ shader }) => shader);

const program = new Command('node bench/reliability/mutants.ts')
  .description(
    'Makes one mistake at a time in the kernels that compute gradients, a sign or a last row, in a copy of the project in ' +
      'a temporary folder, runs the tests of that kernel, and prints which mistakes they notice.',
  )
  .addOption(new Option('--project <name>', 'the adapter').choices(['lavapipe', 'swiftshader']).default('lavapipe'))
  .option('--shaders <list>', 'only these, between commas', names(SHADERS), SHADERS)
  .addHelpText('after', '\nExit code 1 when a mistake survives, 2 when the tests do not pass without one.');

interface Options {
  readonly project: string;
  readonly shaders: readonly string[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** An expectation that failed, or poison that Trial found: not a time-out, or a mutant that is no valid shader. */
const NOTICED = /AssertionError|was not written|was written, of/;
/** What the tests need of the project. */
const COPIED = ['bench', 'shaders', 'src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

await runProgram(program, async ({ project, shaders }: Options) => {
  const folder = mkdtempSync(join(tmpdir(), 'neumf-mutants-'));
  const kernels = BACKWARD_KERNELS.filter(({ shader }) => shaders.includes(shader));
  const fileOf = (shader: string) => join(folder, 'shaders', `${shader}.wgsl`);
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const files = [...new Set(kernels.flatMap(({ tests }) => tests))];
    const before = test(folder, project, files);
    if (before.status !== 0) throw new GpuError(`${files.join(', ')} do not pass as they are:\n${before.output}`);
    let made = 0;
    const survivors: Mutant[] = [];
    for (const kernel of kernels) {
      const text = readFileSync(fileOf(kernel.shader), 'utf8');
      for (const mutant of mutantsOf(kernel, text)) {
        made++;
        writeFileSync(fileOf(kernel.shader), mutant.text);
        const { status, output } = test(folder, project, kernel.tests);
        if (status !== 0 && !NOTICED.test(output)) {
          throw new GpuError(`${kernel.shader}, ${mutant.mistake}: tests failed, but no expectation did:\n${output}`);
        }
        if (status === 0) survivors.push(mutant);
        console.log(`${status === 0 ? 'SURVIVED' : 'caught  '}  ${kernel.shader}: ${mutant.mistake}`);
      }
      writeFileSync(fileOf(kernel.shader), text);
    }
    console.log(`${made - survivors.length} of ${made} mistakes in ${kernels.length} kernels caught`);
    return survivors.length > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function test(folder: string, project: string, files: readonly string[]): { status: number | null; output: string } {
  const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--project', project, '--bail', '1', ...files];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}
