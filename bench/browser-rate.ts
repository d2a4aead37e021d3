/** Compares a browser's speed with Node's: `node bench/browser-rate.ts --help`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { ConfigError } from '../src/errors.ts';
import { runIn } from '../test/browser/harness.ts';
import type { BrowserName } from '../test/browser/launch.ts';
import { lavapipe } from '../test/lavapipe.ts';
import type { Rate } from './browser-rate/measure.ts';
import { median } from './kernels/median.ts';
import { integer, runProgram } from './program.ts';

/** What is asked for: of Node's samples a second, and of the time. */
const LEAST_RATIO = 0.8;
const MOST_READING = 0.02;

const program = new Command('node bench/browser-rate.ts')
  .description(
    'Trains NeuMF (paper-8, batches of 1,024) on the bundled data in Node and in a worker of a headless browser, by turns\n' +
      'on the same software adapter, each time in a fresh process, and prints the medians of samples a second, their\n' +
      'ratio, and the share of the browser’s time that reading back takes at most.',
  )
  .addOption(
    new Option('--browser <name>', 'chromium, on SwiftShader, or firefox, on lavapipe')
      .choices(['chromium', 'firefox'])
      .default('chromium'),
  )
  .option('--rounds <n>', 'turns of both', integer(1, 100), 5)
  .option('--seconds <n>', 'of training in a turn, after a warm-up', integer(1, 600), 15)
  .addHelpText(
    'after',
    `
Exit code 1 when the ratio is below ${LEAST_RATIO} or the share above ${100 * MOST_READING} %. Run it on a machine that does nothing else.`,
  );

interface Options {
  readonly browser: BrowserName;
  readonly rounds: number;
  readonly seconds: number;
}

const FILE = join(import.meta.dirname, 'data', 'online-retail.tsv.gz');
const IN_NODE = join(import.meta.dirname, 'browser-rate', 'in-node.ts');
const IN_WORKER = new URL('browser-rate/in-worker.ts', import.meta.url);

await runProgram(program, async ({ browser, rounds, seconds }: Options) => {
  const env = environment(browser);
  const file = [...readFileSync(FILE)];
  const rates: Record<'node' | 'browser', Rate[]> = { node: [], browser: [] };
  for (let round = 1; round <= rounds; round++) {
    const output = execFileSync(process.execPath, [IN_NODE, FILE, String(seconds)], { env, encoding: 'utf8' });
    rates.node.push(JSON.parse(output) as Rate);
    rates.browser.push(await runIn<Rate>(browser, IN_WORKER, { seconds, file }));
    const shown = [rates.node, rates.browser].map((list) => rate(list.at(-1)!.samplesPerSecond));
    console.log(`${round} of ${rounds}: Node ${shown[0]}, ${browser} ${shown[1]}`);
  }
  const [node, inBrowser] = [rates.node, rates.browser].map((list) => median(list.map((r) => r.samplesPerSecond)));
  const reading = median(rates.browser.map(({ readingShare }) => readingShare));
  const ratio = inBrowser! / node!;
  console.log(
    `Node on ${rates.node[0]!.adapter}: ${rate(node!)}; ${browser}: ${rate(inBrowser!)}, ${ratio.toFixed(2)} of it`,
  );
  console.log(`reading back: at most ${(100 * reading).toFixed(2)} % of the time in ${browser}`);
  return ratio >= LEAST_RATIO && reading <= MOST_READING ? 0 : 1;
});

function rate(samplesPerSecond: number): string {
  return `${Math.round(samplesPerSecond).toLocaleString('en-US')} samples/s`;
}

/** That in which Node has the browser's adapter. */
function environment(browser: BrowserName): NodeJS.ProcessEnv {
  if (browser === 'chromium') return { ...process.env, NEUMF_ADAPTER: 'swiftshader' };
  const driver = lavapipe();
  if (!driver)
    throw new ConfigError('--browser firefox needs lavapipe: Debian package mesa-vulkan-drivers would be right');
  return { ...process.env, ...driver };
}
