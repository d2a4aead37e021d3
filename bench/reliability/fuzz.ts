/** Reads broken files and looks what comes of it: `node bench/reliability/fuzz.ts --help`. */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { makeFolder, replaceFile } from '../files.ts';
import { aligned } from '../kernels/table.ts';
import { Progress } from '../neumf/progress.ts';
import { integer, runProgram } from '../program.ts';
import { watched } from './fuzz/watched.ts';
import { KINDS, type Kind } from './fuzz/worker.ts';

const program = new Command('node bench/reliability/fuzz.ts')
  .description(
    'Generates files from a seed, reads them, and compares what is read with what was written, or for files that were ' +
      'broken afterwards with what a plain reader beside it reads. A file may be read rightly or refused in a line; a file ' +
      'that is read wrongly, breaks the reader or never ends is kept, and its number is said.',
  )
  .addOption(
    new Option(
      '--what <kind>',
      'readers: interactions (CSV, TSV, MovieLens, NCF), titles, gzip; safetensors: checkpoints and state dicts',
    )
      .choices([...Object.keys(KINDS), 'all'])
      .default('all'),
  )
  .option('--count <n>', 'files of each kind', integer(1, 1e9), 100_000)
  .option('--seed <n>', 'the same seed gives the same files', integer(0, 0xffffffff), 1)
  .option('--first <n>', 'number of the first file, to have one again', integer(0, 0xffffffff), 0)
  .option('--out <folder>', 'where files are kept that went wrong', 'runs/fuzz')
  .addHelpText('after', '\nExit code 1 when a file went wrong.');

interface Options {
  readonly what: Kind | 'all';
  readonly count: number;
  readonly seed: number;
  readonly first: number;
  readonly out: string;
}

await runProgram(program, async ({ what, count, seed, first, out }: Options) => {
  const rows = [['', 'files', 'read rightly', 'refused in a line', 'wrong']];
  let wrong = 0;
  for (const kind of Object.keys(KINDS) as Kind[]) {
    if (what !== 'all' && what !== kind) continue;
    const progress = new Progress(kind, count);
    const { outcomes, failures } = await watched({ kind, seed, first, count }, (done) => progress.update(done));
    progress.close();
    for (const { number, message, files } of failures) {
      console.log(`wrong: --what ${kind} --seed ${seed} --first ${number} --count 1: ${message}`);
      for (const [name, bytes] of Object.entries(files)) {
        makeFolder(join(out, `${kind}-${seed}-${number}`));
        replaceFile(join(out, `${kind}-${seed}-${number}`), name, bytes);
      }
    }
    rows.push([
      kind,
      ...[count, outcomes.read, outcomes.refused, failures.length].map((n) => n.toLocaleString('en-US')),
    ]);
    wrong += failures.length;
  }
  console.log(`seed ${seed}\n\n${aligned(rows, (column) => column > 0)}`);
  return wrong > 0 ? 1 : 0;
});
