import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Dataset } from '../../src/data/dataset.ts';
import type { Ids } from '../../src/data/id-map.ts';
import { ConfigError, DataError } from '../../src/errors.ts';
import { fuse } from '../../src/models/fuse.ts';
import type { Sizes } from '../../src/models/sizes.ts';
import { checkpointInfo, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import { extendCheckpoint } from '../../src/train/extend.ts';
import { fineTuning, type PretrainSettings } from '../../src/train/fine-tuning.ts';
import { checkIds } from '../../src/train/ids.ts';
import { type Pretraining, pretrainingInfo } from '../../src/train/pretrain.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import { loadStateDict, readStateDict, type StateDict } from '../../src/train/state-dict.ts';
import type { Trainer } from '../../src/train/trainer.ts';
import { readFile } from '../files.ts';
import { type BeginningOptions, checkTogether } from './beginning-options.ts';

/** What a run begins with. */
export interface Beginning {
  readonly settings: Partial<TrainSettings>;
  /** Of the pre-training that comes first; null without. */
  readonly pretrain: Partial<PretrainSettings> | null;
  /** Whose rows come first; null where no file says it. */
  readonly ids: Ids | null;
  /** Gives a new trainer what the files have. */
  begin(trainer: Trainer, pretraining: Pretraining | null, dataset: Dataset): void | Promise<void>;
  /** What the report is to say of it, a sentence each. */
  notes(dataset: Dataset): string[];
}

/** Reads the files that the options name. Throws ConfigError or DataError, in one line, for what cannot be. */
export function beginningOf(options: BeginningOptions, given: Partial<TrainSettings>): Beginning {
  checkTogether(options);
  const { resume, extend, weights, pretrainFrom } = options;
  if (resume !== undefined) return resumed(resume, options, given);
  if (extend !== undefined) return extended(extend, given);
  if (weights !== undefined) return fromWeights(readDict(weights), given);
  if (pretrainFrom !== undefined) return fused(pretrainFrom, options, given);
  return { ...FRESH, settings: given, pretrain: options.pretrain ? pretrainSettings(options) : null };
}

const FRESH: Beginning = { settings: {}, pretrain: null, ids: null, begin() {}, notes: () => [] };

function pretrainSettings({
  pretrainEpochs: epochs,
  pretrainAlpha: alpha,
}: BeginningOptions): Partial<PretrainSettings> {
  return { ...(epochs === undefined ? {} : { epochs }), ...(alpha === undefined ? {} : { alpha }) };
}

/** Given settings stand on the checkpoint's; but a preset names all sizes, so it replaces them. */
function over(stored: Partial<TrainSettings>, given: Partial<TrainSettings>): Partial<TrainSettings> {
  return given.preset ? given : { ...stored, ...given };
}

function resumed(name: string, options: BeginningOptions, given: Partial<TrainSettings>): Beginning {
  checkBegun(name);
  const bytes = readFile(name);
  const info = checkpointInfo(bytes, name);
  const stored = pretrainingInfo(bytes, name);
  const pretrained = stored !== null || options.pretrain;
  const pretraining = pretrainSettings(options);
  const [unused] = Object.entries(pretraining);
  if (unused && !pretrained) {
    throw new ConfigError(
      `--pretrain-${unused.join(' ')}: ${name} is of a run without pre-training; leaving it out would be right`,
    );
  }
  return {
    ...FRESH,
    settings: over(stored?.settings ?? info.settings, given),
    pretrain: pretrained ? { ...stored?.pretrain, ...pretraining } : null,
    ids: info,
    begin: (trainer, run, dataset) =>
      run ? run.restoreCheckpoint(bytes, name, dataset) : restoreCheckpoint(trainer, bytes, name, dataset),
  };
}

/** A run that was killed before its first checkpoint has left a history alone. */
function checkBegun(name: string): void {
  if (existsSync(name) || !existsSync(join(dirname(name), 'history.jsonl'))) return;
  throw new DataError(
    `${name}: no such file; the run of that folder was ended before its first checkpoint, so starting it again without --resume would be right`,
  );
}

function extended(name: string, given: Partial<TrainSettings>): Beginning {
  const bytes = readFile(name);
  const info = checkpointInfo(bytes, name);
  return {
    ...FRESH,
    settings: over(info.settings, given),
    ids: info,
    begin: (trainer, _, dataset) => extendCheckpoint(trainer, bytes, name, dataset),
    notes: ({ split }) => [
      `${name} has ${count(split.users - info.userIds.size, 'user')} and ${count(split.items - info.itemIds.size, 'item')} more now`,
    ],
  };
}

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;

function fromWeights(dict: StateDict, given: Partial<TrainSettings>): Beginning {
  return {
    ...FRESH,
    settings: { ...modelSettings(dict.sizes), ...given },
    ids: dict.ids,
    begin: ({ model }, _, dataset) => loadStateDict(model, dict, dataset),
    notes: () => [`the weights are those of ${dict.source}`, ...remarks(dict)],
  };
}

function fused(files: readonly string[], options: BeginningOptions, given: Partial<TrainSettings>): Beginning {
  const [gmfFile, mlpFile] = files;
  if (!gmfFile || !mlpFile || files.length > 2) {
    throw new ConfigError(`--pretrain-from ${files}: two files, gmf.safetensors,mlp.safetensors, would be right`);
  }
  const [gmf, mlp] = [readDict(gmfFile), readDict(mlpFile)];
  const { pretrainAlpha: alpha = 0.5 } = options;
  const weights = fuse(gmf, mlp, alpha);
  if (gmf.ids && mlp.ids) checkIds(gmf.ids, mlp.ids, gmf.source);
  const ids = gmf.ids ?? mlp.ids;
  const sizes = { ...modelSettings(gmf.sizes), ...modelSettings(mlp.sizes), model: 'neumf' } as const;
  return {
    ...FRESH,
    settings: fineTuning({ ...sizes, ...given }),
    ids,
    begin: ({ model }, _, dataset) => loadStateDict(model, { source: files.join(' and '), ids, weights }, dataset),
    notes: () => [
      `NeuMF was fused from ${gmf.source} and ${mlp.source}, alpha ${alpha}`,
      ...[gmf, mlp].flatMap(remarks),
    ],
  };
}

/** What the user should know of weights that another program saved. */
function remarks({ source, ids, converted }: StateDict): string[] {
  return [
    ...(converted.length > 0 ? [`${converted.join(' and ')} in ${source} became F32`] : []),
    ...(ids
      ? []
      : [
          `${source} does not say whom its rows stand for: they are taken to be those of the data, in order of appearance`,
        ]),
  ];
}

/** The sizes that are settings. */
function modelSettings({ users: _users, items: _items, ...settings }: Sizes): Partial<TrainSettings> {
  return settings;
}

function readDict(path: string): StateDict {
  return readStateDict(readFile(path), path);
}
