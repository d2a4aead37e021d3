import { type Command, Option } from 'commander';
import { ConfigError } from '../../src/errors.ts';
import { Evaluation, PROTOCOLS } from '../../src/evaluate/evaluation.ts';
import type { Metrics } from '../../src/evaluate/metrics.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { checkpointInfo } from '../../src/train/checkpoint.ts';
import { checkIds } from '../../src/train/ids.ts';
import { resolveSettings, splitOptions } from '../../src/train/settings.ts';
import { readFile } from '../files.ts';
import { integers, setAction, withGpu } from '../program.ts';
import { Answer, type AnswerOptions, addAnswerOptions } from './answer.ts';
import { type ModelOptions, modelCommand, readData } from './opened.ts';

interface Options extends ModelOptions, AnswerOptions {
  readonly eval: (typeof PROTOCOLS)[number];
  readonly k?: number[];
}

export function addEvaluateCommand(program: Command): void {
  const command = modelCommand(
    program,
    'evaluate',
    'How well a checkpoint ranks the held-out items of its data.',
    'the data that it was trained on',
  );
  command
    .addOption(
      new Option(
        '--eval <protocol>',
        'rank held-out items against 99 negatives (loo), among all unseen items (full), or both',
      )
        .choices(PROTOCOLS)
        .default('both'),
    )
    .option('--k <list>', 'cut-offs of the metrics (default: those of the training)', integers(1, 1000));
  addAnswerOptions(command);
  setAction(command, evaluate);
}

async function evaluate(checkpoint: string, options: Options): Promise<number> {
  const bytes = readFile(checkpoint);
  const info = checkpointInfo(bytes, checkpoint);
  const settings = resolveSettings(info.settings);
  const dataset = await readData(options, splitOptions(settings));
  if (!dataset) throw new ConfigError('evaluate: --data with what the checkpoint was trained on would be right');
  checkIds(info, dataset, checkpoint);
  return withGpu(options, async (gpu) => {
    const { model } = Recommender.open(gpu, bytes, { name: checkpoint });
    const protocol = { eval: options.eval, k: options.k ?? settings.k, seed: settings.evalSeed };
    const evaluation = new Evaluation(gpu, model, dataset.split, protocol);
    const { protocols } = evaluation;
    const { full, ...sampled } = await evaluation.metrics();
    const answer = new Answer(options, ['protocol', 'metric', 'value'], 'metrics');
    if (protocols.sampled) answer.write({ about: { protocol: protocols.sampled }, rows: rowsOf(sampled) });
    if (protocols.full) answer.write({ about: { protocol: protocols.full }, rows: rowsOf(full!) });
    answer.end();
    return 0;
  });
}

const rowsOf = (metrics: Partial<Metrics>) =>
  Object.entries(metrics).map(([metric, value]) => ({ metric, value: value as number }));
