/** Destroys devices under training runs and looks what becomes of them: `node bench/reliability/device-loss.ts --help`. */
import { setImmediate } from 'node:timers/promises';
import { Command } from 'commander';
import { formatBytes } from '../../src/gpu/format.ts';
import { collectGarbage } from '../garbage.ts';
import { integer, runProgram } from '../program.ts';
import { loseDevices } from './device-loss/trials.ts';

const program = new Command('node bench/reliability/device-loss.ts')
  .description(
    'Trains small models, destroys their devices at random calls of WebGPU (before, after or while what was called is ' +
      'under way; up to three in a run) and compares weights, histories and figures with those of undisturbed runs. ' +
      'Exit code 1 when anything differs, ends with an error or does not end.',
  )
  .option('--count <n>', 'how many devices to lose', integer(1, 100_000), 200)
  .option('--seed <n>', 'of the moments', integer(0, 2 ** 32 - 1), 1);

/** The share of the losses in which pools and caches fill, and memory is not looked at. */
const WARM_UP = 1 / 4;

await runProgram(program, async ({ count, seed }: { readonly count: number; readonly seed: number }) => {
  let warm: string | null = null;
  const { runs, losses, calls, recoveries, wrong } = await loseDevices(count, seed, async (tally) => {
    await collected(); // objects of lost devices are small on this side: they would wait for long
    if (tally.losses >= count * WARM_UP) warm ??= `${memory()} after ${tally.losses} losses`;
    if (process.stderr.isTTY) process.stderr.write(`\r${tally.losses} of ${count} lost, ${tally.wrong.length} wrong `);
  });
  for (const outcome of wrong) console.log(`wrong: ${outcome}`);
  console.log(`devices lost at ${[...calls].map(([call, n]) => `${call} ${n}`).join(', ')}`);
  console.log(`memory: ${warm}, ${memory()} at the end`);
  console.log(
    `seed ${seed}: ${losses} devices lost in ${runs} runs, ${recoveries} recoveries, ${wrong.length} wrong results`,
  );
  return wrong.length > 0 ? 1 : 0;
});

async function collected(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await setImmediate();
    collectGarbage();
  }
}

function memory(): string {
  const { rss, heapUsed, external } = process.memoryUsage();
  return `${formatBytes(rss)} resident, ${formatBytes(heapUsed)} heap, ${formatBytes(external)} external`;
}
