import { type Command, InvalidArgumentError, Option } from 'commander';
import { MODEL_KINDS, PRESETS, SCHEDULES } from '../../src/models/config.ts';
import { EVALUATIONS, LOSSES, ON_NAN, OPTIMIZERS, SAMPLERS } from '../../src/train/choices.ts';
import { MOST_REWINDS } from '../../src/train/rewinding.ts';
import { DEFAULT_SETTINGS, resolveSettings, type TrainSettings } from '../../src/train/settings.ts';
import { addDataOptions, type DataOptions } from '../data-options.ts';
import { addAdapterOption, integer as bounded } from '../program.ts';
import { addBeginningOptions, type BeginningOptions } from './beginning-options.ts';

/** What the command line was given; settings that were not given are undefined. */
export interface TrainOptions extends Partial<TrainSettings>, BeginningOptions, DataOptions {
  readonly adapter: 'auto' | 'hardware' | 'software';
  readonly stepsPerSubmit?: number;
  /** Minutes. */
  readonly checkpointEvery?: number;
  readonly baselines?: boolean;
  readonly runs: number;
  readonly out: string;
  readonly json?: boolean;
}

const PRESET = 'from the preset';

export function addTrainOptions(program: Command): void {
  const option = (flags: string, description: string) => new Option(flags, description);
  const setting = (flags: string, description: string, parse: (text: string) => unknown, fallback: unknown) =>
    program.addOption(option(flags, `${description} (default: ${fallback})`).argParser(parse));
  addDataOptions(
    program,
    option('--data <path>', 'online-retail (comes along), or a file or folder of interactions').default(
      'online-retail',
    ),
  );
  program
    .addOption(
      option(
        '--preset <name>',
        `sizes and training of a published model (default: ${DEFAULT_SETTINGS.preset})`,
      ).choices(Object.keys(PRESETS)),
    )
    .addOption(
      option('--model <kind>', `which of the models (default: ${DEFAULT_SETTINGS.model})`).choices(MODEL_KINDS),
    );
  setting('--gmf-dim <n>', 'dimensions of MF’s and GMF’s embeddings', integer, PRESET);
  setting('--mlp-dim <n>', 'dimensions of each of the MLP’s embeddings, or of the towers’', integer, PRESET);
  setting(
    '--mlp-layers <list>',
    'units of the hidden layers, or of each tower’s layers, e.g. 128,64,32, or none',
    layers,
    PRESET,
  );
  setting('--dropout <p>', 'probability that a hidden unit is zeroed in training', number, PRESET);
  program.addOption(option('--batch-norm', `normalise every hidden layer by batch (default: ${PRESET})`));
  program.addOption(option('--no-batch-norm', 'do not'));
  setting('--epochs <n>', 'epochs in all', integer, DEFAULT_SETTINGS.epochs);
  setting('--batch-size <n>', 'samples in a batch, negatives included', integer, PRESET);
  setting('--lr <rate>', 'learning rate', number, PRESET);
  program.addOption(
    option('--schedule <name>', `how the learning rate changes from epoch to epoch (default: ${PRESET})`).choices(
      SCHEDULES,
    ),
  );
  setting(
    '--schedule-factor <f>',
    'what the schedules step and plateau multiply the rate by',
    number,
    DEFAULT_SETTINGS.scheduleFactor,
  );
  setting('--schedule-step <n>', 'the schedule step changes it every n epochs', integer, DEFAULT_SETTINGS.scheduleStep);
  setting(
    '--schedule-patience <n>',
    'plateau lowers it after more than n evaluations without a better HR@10',
    integer,
    DEFAULT_SETTINGS.schedulePatience,
  );
  setting(
    '--schedule-min <rate>',
    'least rate of the schedules cosine and plateau',
    number,
    DEFAULT_SETTINGS.scheduleMin,
  );
  setting(
    '--warm-up <n>',
    'epochs over which the rate rises, before the schedule begins',
    integer,
    DEFAULT_SETTINGS.warmUp,
  );
  setting('--weight-decay <rate>', 'times the weight, added to the gradient', number, PRESET);
  setting('--weight-decay-tables <rate>', 'that of embedding tables, MF’s biases among them', number, '--weight-decay');
  setting('--weight-decay-biases <rate>', 'that of biases and BatchNorm’s scale and shift', number, '--weight-decay');
  setting('--clip-norm <norm>', 'largest norm of all gradients together, 0 for no clipping', number, PRESET);
  program.addOption(
    option('--optimizer <name>', `how gradients become updates (default: ${DEFAULT_SETTINGS.optimizer})`).choices(
      OPTIMIZERS,
    ),
  );
  setting(
    '--momentum <m>',
    'how much of a step’s direction the next one keeps, with --optimizer sgd',
    number,
    DEFAULT_SETTINGS.momentum,
  );
  program.addOption(
    option(
      '--loss <name>',
      `binary cross-entropy (bce), or of positives alone, for --model two-tower (in-batch-softmax) (default: ${DEFAULT_SETTINGS.loss})`,
    ).choices(LOSSES),
  );
  setting('--temperature <t>', 'divides the logits of in-batch-softmax', number, DEFAULT_SETTINGS.temperature);
  setting(
    '--negatives <n>',
    'drawn for each positive, anew every epoch',
    integer,
    `${PRESET}; 0 with in-batch-softmax, whose negatives are the other items of a batch`,
  );
  program.addOption(option('--sampler <name>', `how negatives are drawn (default: ${PRESET})`).choices(SAMPLERS));
  setting(
    '--sampler-power <p>',
    'the popularity sampler draws by popularity^p, from 0 to 2',
    number,
    DEFAULT_SETTINGS.samplerPower,
  );
  setting(
    '--hard-candidates <n>',
    'the hard sampler draws n for each negative and keeps the one that the model scores highest',
    integer,
    DEFAULT_SETTINGS.hardCandidates,
  );
  setting(
    '--hard-from <epoch>',
    'before it the hard sampler keeps any, while scores mean little',
    integer,
    DEFAULT_SETTINGS.hardFrom,
  );
  setting(
    '--ips-power <p>',
    'a positive’s loss counts by 1 / popularity^p (inverse propensity, mean 1), from 0 to 2',
    number,
    `${DEFAULT_SETTINGS.ipsPower}, all alike`,
  );
  setting(
    '--ips-clip <c>',
    'most that 1 / popularity^p may be, over its mean over positives',
    number,
    DEFAULT_SETTINGS.ipsClip,
  );
  program.addOption(
    option(
      '--eval <protocol>',
      `rank held-out items against 99 negatives (loo), among all unseen items (full), both, or none (default: ${DEFAULT_SETTINGS.eval})`,
    ).choices(EVALUATIONS),
  );
  setting('--k <list>', 'cut-offs of the metrics, e.g. 5,10,20; 10 is always among them', integers, DEFAULT_SETTINGS.k);
  setting('--eval-every <n>', 'evaluate after every n-th epoch and the last', integer, DEFAULT_SETTINGS.evalEvery);
  program.addOption(
    option(
      '--validation',
      'hold out a validation item a user besides, choose the best epoch on these, and test it once (default: no)',
    ),
  );
  setting(
    '--patience <n>',
    'with --validation: end after n evaluations without a better HR@10, 0 for never',
    integer,
    0,
  );
  program.addOption(
    option(
      '--on-nan <what>',
      `where a loss or gradient is infinite or not a number: end with exit code 1 (stop), or go back to the end of the epoch before and on at half the rate, ${MOST_REWINDS} times at most (rewind) (default: ${DEFAULT_SETTINGS.onNan})`,
    ).choices(ON_NAN),
  );
  setting('--seed <n>', 'same seed, same adapter: same bits', integer, DEFAULT_SETTINGS.seed);
  setting('--eval-seed <n>', 'draws the negatives that held-out items are ranked against', integer, '--seed');
  program.addOption(option('--baselines', 'also item-kNN, EASE and MF, beside popularity and chance'));
  program.addOption(
    option('--runs <n>', 'train so often, with the seeds --seed, --seed + 1, …, and give mean and deviation')
      .argParser(bounded(1, 1000))
      .default(1),
  );
  setting(
    '--steps-per-submit <n>',
    'training steps handed to the GPU at once; changes no result',
    integer,
    'found, for 50 ms',
  );
  setting(
    '--checkpoint-every <minutes>',
    'after every epoch a checkpoint is written, and within long ones after so many minutes',
    positive,
    '1, and more where it would take over 1 % of the time',
  );
  addBeginningOptions(program, { integer, number });
  addAdapterOption(program);
  program
    .addOption(
      option('--out <folder>', 'for checkpoint.safetensors, history.jsonl and report.html').default('runs/latest'),
    )
    .addOption(option('--json', 'a JSON object a line on stdout instead of the display'))
    .addHelpText('after', `\n${presetTable()}`);
}

/** Settings of which 0 says that there is none. A parser cannot say so itself: Commander makes '' of its null. */
const NONE_IS_ZERO = ['clipNorm', 'patience'];

/** The settings among the options, for resolveSettings. */
export function givenSettings(options: TrainOptions): Partial<TrainSettings> {
  const settings = Object.keys(resolveSettings());
  const given = Object.entries(options).filter(([name]) => settings.includes(name));
  return Object.fromEntries(given.map(([name, value]) => [name, NONE_IS_ZERO.includes(name) ? value || null : value]));
}

function presetTable(): string {
  const rows = Object.entries(PRESETS).map(([name, p]) => [
    name,
    `gmf-dim ${p.gmfDim}, mlp-dim ${p.mlpDim}, mlp-layers ${p.mlpLayers.join(',')}, ${p.batchNorm ? 'batch-norm' : 'no-batch-norm'},`,
    `dropout ${p.dropout}, batch-size ${p.batchSize}, lr ${p.lr}, weight-decay ${p.weightDecay}, clip-norm ${p.clipNorm ?? 0}, negatives ${p.negatives}, sampler ${p.sampler}, schedule ${p.schedule}`,
  ]);
  return [
    'Presets:',
    ...rows.map(([name, model, training]) => `  ${name!.padEnd(9)} ${model}\n            ${training}`),
  ].join('\n');
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('A number would be right.');
  return value;
}

function positive(text: string): number {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError('A number above 0 would be right.');
  return value;
}

function integer(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('An integer would be right.');
  return Number(text);
}

function integers(text: string): number[] {
  return text.split(',').map((value) => integer(value.trim()));
}

function layers(text: string): number[] {
  if (text === 'none') return [];
  return integers(text);
}
