/** Kills training runs and looks whether anything is lost: `node bench/reliability/kills.ts --help`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { integer, runProgram } from '../program.ts';
import { killRuns } from './kills/loop.ts';

const program = new Command('node bench/reliability/kills.ts')
  .description(
    'Trains small models by the command line, each in a process of its own, kills it by SIGKILL at a random moment (half of ' +
      'them as it begins to write a file), looks whether its files can be read, resumes it, kills it again …, and compares ' +
      'the weights of its end with those of a run that nobody killed. Exit code 1 when anything is wrong.',
  )
  .option('--count <n>', 'how many kills', integer(1, 100_000), 200)
  .option('--seed <n>', 'of the moments', integer(0, 2 ** 32 - 1), 1);

await runProgram(program, async ({ count, seed }: { readonly count: number; readonly seed: number }) => {
  const place = mkdtempSync(join(tmpdir(), 'neumf-kills-'));
  try {
    const { kills, whileWriting, early, finished, wrong } = await killRuns(count, seed, place, (tally) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\r${tally.kills} of ${count} kills, ${tally.wrong.length} wrong `);
    });
    for (const what of wrong) console.log(`wrong: ${what}`);
    console.log(
      `seed ${seed}: ${kills} kills, ${whileWriting} with a file half written, ${early} before a run’s first checkpoint; ${finished} runs resumed to their end; ${wrong.length} wrong`,
    );
    return wrong.length > 0 ? 1 : 0;
  } finally {
    rmSync(place, { recursive: true });
  }
});
