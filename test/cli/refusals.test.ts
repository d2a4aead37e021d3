import { mkdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { SMALL, smallData, Workplace } from './command.ts';

const place = new Workplace();

beforeAll(async () => {
  const data = smallData();
  place.write('data.csv', data);
  place.write('empty.csv', '');
  place.write('short.csv', data.replace('u0,i9,3', 'u0'));
  place.write('time.csv', data.replace('u0,i9,3', 'u0,i9,yesterday'));
  place.write('cut.csv.gz', gzipSync(data).subarray(0, 200));
  const { code } = await place.run('train', ['--data', 'data.csv', '--epochs', '1', '--out', 'run', ...SMALL]);
  expect(code).toBe(0);
  mkdirSync(place.path('killed'));
  place.write('killed/history.jsonl', '');
  mkdirSync(place.path('full/history.jsonl.partial'), { recursive: true }); // no file can be written in its place
});

describe('one line says what was wrong, and the exit code is 2:', () => {
  let runs = 0; // side by side, so each has a folder of its own
  const ONLY = 'paper-8, paper-16, paper-32, paper-64, lesson';
  it.concurrent.each<[string, string, string | RegExp]>([
    ['a missing file', '--data nowhere.csv', 'nowhere.csv: no such file'],
    ['an empty file', '--data empty.csv', 'empty.csv: the file is empty'],
    ['a row with too few columns', '--data short.csv', 'short.csv:5: 1 column, but the item is column 2: "u0"'],
    ['a time that is none', '--data time.csv', 'time.csv:5: timestamp "yesterday" is neither a number nor an ISO date'],
    [
      'a damaged gzip',
      '--data cut.csv.gz',
      'cut.csv.gz: the gzip data is truncated, damaged or followed by more; fetch the file again, or compress it in one piece',
    ],
    ['a power out of range', '--sampler-power 3', 'samplerPower 3: a number from 0 to 2 would be right'],
    ['a clip below the mean', '--ips-clip 0.1', 'ipsClip 0.1: a number from 1 to 1000000 would be right'],
    ['no dimensions', '--gmf-dim 0', 'gmfDim 0: an integer of at least 1 would be right'],
    [
      'BatchNorm over one sample',
      '--preset lesson --batch-size 1',
      'batchSize 1 with batch norm: one sample has no variance; at least 2, or no batch norm, would be right',
    ],
    [
      'a softmax of a model without towers',
      '--loss in-batch-softmax',
      'loss in-batch-softmax with model neumf, which has no towers: model two-tower would be right',
    ],
    [
      'a checkpoint of other sizes',
      '--resume run/checkpoint.safetensors --gmf-dim 8',
      'run/checkpoint.safetensors: gmf_user_emb.weight is [40, 4], and this model has [40, 8]',
    ],
    [
      'a checkpoint with another optimizer',
      '--resume run/checkpoint.safetensors --optimizer sgd',
      'run/checkpoint.safetensors: it was trained with adam, and this run uses sgd',
    ],
    ['decay below zero', '--weight-decay-tables -1', 'weightDecayTables -1: a number of at least 0 would be right'],
    ['the same of biases', '--weight-decay-biases -1', 'weightDecayBiases -1: a number of at least 0 would be right'],
    [
      'momentum for Adam',
      '--momentum 0.9',
      'momentum 0.9 with adam, which has none: momentum 0, or optimizer sgd, would be right',
    ],
    [
      'embeddings that lazy Adam does not take',
      '--optimizer lazy-adam --gmf-dim 6 --mlp-dim 8',
      'embeddings of 6 and 8 dimensions, updated row by row: multiples of 4 would be right',
    ],
    ['a checkpoint that is none', '--resume data.csv', /^error: data\.csv: not a readable safetensors file: /],
    [
      'a checkpoint for several runs',
      '--resume run/checkpoint.safetensors --runs 2',
      '--resume with --runs 2: one run goes on from a checkpoint; --resume run/checkpoint.safetensors alone would be right',
    ],
    [
      'baselines of nothing',
      '--baselines --eval none',
      'baselines with eval none: there is nothing to compare with; eval loo would be right',
    ],
    ['no runs', '--runs 0', /^error: option '--runs <n>' argument '0' is invalid\. An integer from 1 to 1000 would/],
    [
      'a seed that the last run cannot have',
      '--runs 3 --seed 4294967294',
      'seed 4294967296: at most 4294967295 would be right',
    ],
    [
      'a checkpoint without validation items',
      '--resume run/checkpoint.safetensors --validation',
      'run/checkpoint.safetensors: it was trained without validation items, and this run has some',
    ],
    [
      'patience without validation items',
      '--patience 2',
      'patience 2: when to stop is chosen on validation items, and there are none; validation would be right',
    ],
    [
      'an unknown schedule',
      '--schedule linear',
      "option '--schedule <name>' argument 'linear' is invalid. Allowed choices are constant, step, cosine, plateau.",
    ],
    [
      'a schedule that follows what is not evaluated',
      '--preset lesson --eval none',
      'schedule "plateau" with eval none: it follows HR@10, and nothing is evaluated; constant, step, cosine would be right',
    ],
    ['a missing checkpoint', '--resume nowhere', 'nowhere: no such file'],
    [
      'a checkpoint of a run that was killed before it',
      '--resume killed/checkpoint.safetensors',
      'killed/checkpoint.safetensors: no such file; the run of that folder was ended before its first checkpoint, so starting it again without --resume would be right',
    ],
    ['an unknown option', '--epoch 3', "unknown option '--epoch' (Did you mean --epochs?)"],
    ['a word too many', 'data.csv', 'too many arguments. Expected 0 arguments but got 1: data.csv.'],
    ['a bad number', '--lr fast', "option '--lr <rate>' argument 'fast' is invalid. A number would be right."],
    ['a cut-off that is none', '--k 5,0', 'k 5,0: integers of at least 1, such as 5,10,20, would be right'],
    [
      'an unknown preset',
      '--preset big',
      `option '--preset <name>' argument 'big' is invalid. Allowed choices are ${ONLY}.`,
    ],
    [
      'columns that are incomplete',
      '--user-column user',
      'columns are given together: --user-column and --item-column, and --timestamp-column where there is a time',
    ],
    [
      'a folder that cannot be made',
      '--out data.csv/run',
      /^error: --out data\.csv\/run: the folder cannot be made: ENOTDIR/,
    ],
    ['a folder that cannot be written', '--out full', /^error: --out full: history\.jsonl cannot be written: .*EISDIR/],
    [
      'an adapter that is not there',
      '--adapter hardware',
      /^error: no WebGPU adapter \(asked for: hardware\); a GPU driver/,
    ],
  ])('%s: %s', async (_, options, message) => {
    const data = options.startsWith('--data') ? [] : ['--data', 'data.csv'];
    await place.expectRefused(
      'train',
      [...data, '--out', `other-${++runs}`, '--epochs', '2', ...SMALL, ...options.split(' ')],
      message,
    );
  });
});

it('a model that the memory cannot hold is refused with what needs how much and what would fit', async () => {
  const users = 400_000;
  place.write('many.csv', Array.from({ length: users }, (_, user) => `u${user},i${user % 50},0`).join('\n'));
  const wide = ['--gmf-dim', '65536', '--mlp-dim', '65536'];
  const { code, stderr } = await place.run('train', ['--data', 'many.csv', '--out', 'other', ...SMALL, ...wide]);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^error: the model and its optimizer need \S+ GiB, and SwiftShader.* has \S+ GiB; gmfDim \d+ with mlpDim \d+, or \d+ users would fit$/m,
  );
  expect(stderr).toMatch(/^ {2}gmf_user_emb.weight +400000 × 65536 +97.7 GiB +– +195.3 GiB +293.0 GiB$/m);
  expect(stderr).toMatch(/^ {2}together /m);
});
