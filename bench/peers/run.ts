/** Times neumf-webgpu's training step, or its full-catalogue ranking, beside PyTorch's, TensorFlow.js's and jax-js's: `node run.ts --help`. */
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { ConfigError, DataError } from '../../src/errors.ts';
import { PRESETS } from '../../src/models/config.ts';
import { openDataset } from '../dataset.ts';
import { runProgram } from '../program.ts';
import { contenders, OURS } from './runner/contenders.ts';
import { type Line, type Measuring, measureEpochs, measureSteps, TOLERANCE } from './runner/measure.ts';
import { addOptions, type Options } from './runner/options.ts';
import { MARGIN, measureRankings } from './runner/ranking.ts';
import { jsonLines, report, settingOf } from './runner/report.ts';
import { epochTable, type Layout, rankingTable, stepTable } from './runner/table.ts';
import { evenUsers, SIZES, taskOf, Workload } from './runner/workload.ts';

const entries = contenders();
const program = new Command('npm start --').description(
  'Times the same NeuMF training step (forward, backward, clipping, Adam over all rows) here and elsewhere, on the same ' +
    'batch from the same weights, on a data set of MovieLens-1M’s size.',
);
addOptions(
  program,
  entries.map(({ id }) => id).filter((id) => id !== OURS),
);
program.addHelpText(
  'after',
  `
Every contender is a process of its own that waits until it is asked; they are measured in turn, round after round.
Before anything is timed, each trains 5 steps without dropout: where its losses differ from ours by more than
${TOLERANCE.toExponential(0)} it is no contender, nor where its loss does not fall afterwards. Compiling and warming up is not timed.
With --ranking, ours must be the ranks of each contender, up to logits that differ by less than ${MARGIN.toExponential(0)} of the largest.
Python is $PYTHON, or else the first of /usr/bin/python3 and python3 that has PyTorch.`,
);

await runProgram(program, async (options: Options) => {
  const installed = existsSync(fileURLToPath(new URL('node_modules', import.meta.url)));
  if (!installed && !options.ranking)
    throw new ConfigError('bench/peers: the peers are not installed; npm ci in that folder would be right');
  const workload = new Workload();
  try {
    if (options.ranking) return await rankings(options, workload);
    return await (options.epoch ? epochs(options, workload) : steps(options, workload));
  } finally {
    workload.close();
  }
});

async function steps(options: Options, workload: Workload): Promise<number> {
  const taking = participants(options).filter(({ epochsOnly }) => !epochsOnly);
  const lines: Line[] = [];
  for (const preset of options.preset) {
    for (const batchSize of options.batch) {
      const task = taskOf(preset, batchSize, SIZES);
      lines.push(
        ...(await measureSteps(taking, task, workload.weights(task), workload.batch(task), measuring(options))),
      );
    }
  }
  return show(options, lines, (layout) => stepTable(lines, layout));
}

async function epochs(options: Options, workload: Workload): Promise<number> {
  const { split } = await openDataset(options.data);
  const interactions = workload.interactions(split, options.epochShare);
  const lines: Line[] = [];
  let samples = 0;
  for (const preset of options.preset) {
    for (const batchSize of options.batch) {
      const task = taskOf(preset, batchSize, split);
      samples = split.train.items.length * (1 + task.negatives);
      lines.push(
        ...(await measureEpochs(participants(options), task, workload.weights(task), interactions, measuring(options))),
      );
    }
  }
  return show(options, lines, (layout) => epochTable(lines, samples, options.epochShare, layout));
}

async function rankings(options: Options, workload: Workload): Promise<number> {
  const { split } = await openDataset(options.data);
  if (split.test.users.length === 0) throw new DataError(`${options.data}: no user has a held-out item to rank`);
  const test = evenUsers(split.test, options.testedUsers);
  const interactions = workload.interactions({ ...split, test }, 1);
  const taking = participants(options).filter(({ ranks }) => ranks);
  const lines: Line[] = [];
  for (const preset of options.preset) {
    const task = taskOf(preset, PRESETS[preset]!.batchSize, split);
    const weights = workload.trainedWeights(task);
    lines.push(...(await measureRankings(taking, task, weights, interactions, test.users.length, measuring(options))));
  }
  return show(options, lines, (layout) => rankingTable(lines, layout));
}

function participants({ peers }: Options) {
  return entries.filter(({ id }) => id === OURS || peers.includes(id));
}

function measuring({ rounds, seconds, patience, check = false }: Options): Measuring {
  return { rounds, seconds, patience, checkOnly: check, say: (progress) => console.error(progress) };
}

/** Gives the exit code: 1 when a contender that runs here failed. */
function show({ rounds, json, out }: Options, lines: readonly Line[], table: (layout: Layout) => string): number {
  const command = ['npm start --', ...process.argv.slice(2)].join(' ');
  const setting = settingOf(lines, command, rounds);
  console.log(json ? jsonLines(setting, lines) : report(setting, lines, table('text'), 'text'));
  if (out !== undefined) {
    writeFileSync(`${out}.md`, report(setting, lines, table('markdown'), 'markdown'));
    writeFileSync(`${out}.json`, `${JSON.stringify({ ...setting, lines }, null, 2)}\n`);
  }
  return lines.some((line) => line.hello !== null && line.out !== null) ? 1 : 0;
}
