/** Watches the page while it trains: `node bench/smoothness.ts --help`. */
import { Command } from 'commander';
import { formatBytes } from '../src/gpu/format.ts';
import { integer, runProgram } from './program.ts';
import { prepareTraining, withPage } from './smoothness/opened-page.ts';
import { type Period, type Task, watchPeriod } from './smoothness/period.ts';

const LONG_MS = 50;
const PERIODS = 10;
/** Bytes by which the least of a heap may be more in the last three periods than in the three after the first. */
const GROWTH = 2 ** 20;

const program = new Command('node bench/smoothness.ts')
  .description(
    'Opens the built page in a headless Chromium on SwiftShader, trains on the bundled set, asks for somebody’s ' +
      'recommendations once in each tenth of the time, and tells of it: the longest tasks of the page’s thread, frames a ' +
      'second, the live heaps of page and worker.',
  )
  .option('--minutes <n>', 'how long; a checkpoint of every epoch comes and goes meanwhile', integer(5, 600), 10)
  .addHelpText(
    'after',
    `
A task’s computing is what its own thread computed; by the clock it also waits while others have the processor, and
SwiftShader computes on all of it. Exit code 1 when a task computed for more than ${LONG_MS} ms, or a heap’s least in the last
three tenths is more than ${formatBytes(GROWTH)} above that in the second to fourth: between, a checkpoint comes and goes.`,
  );

await runProgram(program, async ({ minutes }: { readonly minutes: number }) =>
  withPage(async (page) => {
    await prepareTraining(page);
    const periods: Period[] = [];
    for (let i = 0; i < PERIODS; i++) {
      const period = await watchPeriod(page, (60 * minutes) / PERIODS, () =>
        page.click(i === 0 ? '#start' : '#any-user'),
      );
      console.log(`${i + 1} of ${PERIODS}: ${described(period)}`);
      periods.push(period);
    }
    const long = periods.flatMap(({ tasks }) => tasks.filter(({ cpu }) => cpu > LONG_MS));
    console.log(long.length > 0 ? `${long.length} tasks computed for more than ${LONG_MS} ms` : 'no long task');
    const grown = (['pageHeap', 'workerHeap'] as const).filter((heap) => {
      const least = (some: readonly Period[]) => Math.min(...some.map((period) => period[heap]));
      return least(periods.slice(-3)) - least(periods.slice(1, 4)) > GROWTH;
    });
    console.log(grown.length > 0 ? `grown: ${grown.join(', ')}` : 'no heap has grown');
    return long.length > 0 || grown.length > 0 ? 1 : 0;
  }),
);

function described({ tasks, framesPerSecond, pageHeap, workerHeap }: Period): string {
  const longest = (of: (task: Task) => number) =>
    `${tasks.reduce((most, task) => Math.max(most, of(task)), 0).toFixed(1)} ms`;
  const over = tasks.filter(({ wall }) => wall > LONG_MS).length;
  return [
    `longest task ${longest(({ cpu }) => cpu)} of computing, ${longest(({ wall }) => wall)} by the clock, ${over} over ${LONG_MS} ms`,
    `${framesPerSecond.toFixed(1)} frames/s`,
    `heap of the page ${formatBytes(pageHeap)}, of the worker ${formatBytes(workerHeap)}`,
  ].join('; ');
}
