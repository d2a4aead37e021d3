import { type Command, Option } from 'commander';
import { ConfigError } from '../../src/errors.ts';
import { FINE_TUNING_LR } from '../../src/train/fine-tuning.ts';

/** Files that a run can begin from; at most one of these options is given. */
export interface BeginningOptions {
  readonly resume?: string;
  readonly extend?: string;
  readonly weights?: string;
  readonly pretrain?: boolean;
  readonly pretrainFrom?: readonly string[];
  readonly pretrainEpochs?: number;
  readonly pretrainAlpha?: number;
}

export function addBeginningOptions(
  program: Command,
  { integer, number }: Record<'integer' | 'number', (text: string) => number>,
): void {
  const option = (flags: string, description: string) => new Option(flags, description);
  program
    .addOption(option('--resume <file>', 'go on from a checkpoint, with its settings where none are given'))
    .addOption(
      option(
        '--extend <file>',
        'train a checkpoint on, on --data with new users and items: old ones keep their rows, and are trained on what --data has of them',
      ),
    )
    .addOption(
      option(
        '--weights <file>',
        'begin with the weights and sizes of a safetensors file: a checkpoint’s, or a PyTorch state dict’s (F64, F16 and BF16 become F32), whose rows are those of --data in order of appearance unless its metadata has userIds and itemIds',
      ),
    )
    .addOption(
      option(
        '--pretrain',
        `train GMF, then MLP, by Adam at the preset’s rate, and fine-tune NeuMF from both by --optimizer (default here: sgd) at --lr (default here: ${FINE_TUNING_LR})`,
      ),
    )
    .addOption(option('--pretrain-epochs <n>', 'of GMF and of MLP each (default: --epochs)').argParser(integer))
    .addOption(
      option('--pretrain-alpha <a>', 'GMF’s share in NeuMF’s output layer, from 0 to 1 (default: 0.5)').argParser(
        number,
      ),
    )
    .addOption(
      option(
        '--pretrain-from <files>',
        'fine-tune NeuMF from a trained GMF and MLP: gmf.safetensors,mlp.safetensors',
      ).argParser((text) => text.split(',')),
    );
}

/** Throws ConfigError for options that exclude each other, or lack the one that they belong to. */
export function checkTogether(options: BeginningOptions): void {
  const given = ['--resume', '--extend', '--weights', '--pretrain-from', '--pretrain'].filter(
    (flag) => options[optionOf(flag)] !== undefined,
  );
  const [first, second] = given;
  if (second !== undefined && !(first === '--resume' && second === '--pretrain')) {
    throw new ConfigError(`${first} with ${second}: a run begins in one way; one of them would be right`);
  }
  const { resume, pretrain, pretrainFrom, pretrainEpochs, pretrainAlpha } = options;
  const pretrained = pretrain || resume !== undefined;
  if (pretrainEpochs !== undefined && !pretrained) {
    throw new ConfigError(`--pretrain-epochs ${pretrainEpochs} belongs to --pretrain, which would be right`);
  }
  if (pretrainAlpha !== undefined && !pretrained && !pretrainFrom) {
    throw new ConfigError(
      `--pretrain-alpha ${pretrainAlpha} belongs to --pretrain or --pretrain-from, which would be right`,
    );
  }
}

const optionOf = (flag: string) =>
  flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as keyof BeginningOptions;
