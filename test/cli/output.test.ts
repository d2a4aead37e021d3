import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { PRESETS } from '../../src/models/config.ts';
import { DEFAULT_SETTINGS } from '../../src/train/settings.ts';
import { type Ended, SMALL, smallData, Workplace } from './command.ts';

const place = new Workplace();
const parsed = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('with --json', () => {
  let ended: Ended;
  let events: Record<string, unknown>[];

  beforeAll(async () => {
    // Two users more, with one interaction each; 41 · 7 + 2 positives with as many negatives: 2 · 289 = 578 samples.
    place.write('data.csv', `${smallData(41)}lonely,i1,1\nlonesome,i2,1\n`);
    const sizes = [...SMALL, '--batch-norm', '--batch-size', '577', '--negatives', '1'];
    const run = ['--data', 'data.csv', '--epochs', '3', '--eval-every', '2', '--json', '--out', 'a/b', ...sizes];
    ended = await place.run('train', run);
    events = parsed(ended.stdout);
  });

  it('stdout has nothing but one JSON object a line: start, epochs, end', () => {
    expect(ended.code).toBe(0);
    expect(events.map(({ event }) => event)).toEqual(['start', 'epoch', 'epoch', 'epoch', 'end']);
    const keys = events.map((event) => Object.keys(event).sort());
    expect(keys[0]).toEqual(
      [
        ...['event', 'adapter', 'adapterKind', 'data', 'users', 'items', 'interactions', 'testedUsers', 'parameters'],
        ...['protocols', 'baselines', 'settings', 'notes'],
      ].sort(),
    );
    const metrics = ['hr', 'ndcg', 'mrr', 'recall', 'precision', 'map'].map((name) => `${name}@10`);
    const trained = ['event', 'epoch', 'lr', 'loss', 'seconds', 'samplesPerSecond'];
    expect(keys[1]).toEqual(trained.toSorted());
    expect(keys[2]).toEqual([...trained, ...metrics, 'auc', 'evalSeconds'].sort());
    expect(keys[3]).toEqual(keys[2]);
    expect(keys[4]).toEqual(['event', 'best', 'final', 'alarms', 'weightsSha256', 'seconds', 'stopped'].sort());
  });

  it('the start tells adapter, data, sizes and baselines', () => {
    expect(events[0]).toMatchObject({
      adapter: expect.stringContaining('SwiftShader'),
      adapterKind: 'software',
      data: 'data.csv',
      users: 43,
      items: 40,
      interactions: 330,
      testedUsers: 41,
      protocols: { sampled: 'leave-one-out, 32 sampled negatives, ties against the model' },
      baselines: { random: { 'hr@10': expect.any(Number) }, popularity: { 'ndcg@10': expect.any(Number) } },
      settings: { preset: 'paper-8', gmfDim: 4, mlpLayers: [8, 4], batchNorm: true, batchSize: 577, negatives: 1 },
    });
  });

  it('the start notes who is not tested, and which sample is not trained on', () => {
    expect(events[0]!.notes).toEqual([
      '2 users have a single interaction: kept for training, not tested',
      'the last batch of an epoch would be one sample, which batch norm cannot normalise: it is left out',
    ]);
  });

  it('history.jsonl has the same lines', () => {
    expect(readFileSync(place.path('a/b/history.jsonl'), 'utf8')).toBe(ended.stdout);
  });

  it('the folder has a checkpoint and a report, and the report needs nothing from outside', () => {
    expect(existsSync(place.path('a/b/checkpoint.safetensors'))).toBe(true);
    const report = readFileSync(place.path('a/b/report.html'), 'utf8');
    expect(report).toMatch(/^<!doctype html>/i);
    expect(report).toContain('2 users have a single interaction');
    const urls = report.match(/(?:https?:)?\/\/[\w.-]+\.\w+[^\s"'<)]*/g) ?? [];
    expect(urls.filter((url) => !url.startsWith('http://www.w3.org/'))).toEqual([]);
    expect(report).not.toMatch(/\s(?:src|href)\s*=\s*["']?(?!data:|#)/i);
  });

  it('stderr says that the adapter is a slow one', () => {
    expect(ended.stderr).toMatch(/^note: SwiftShader.* is a software adapter, so this is slow; [^\n]+\n$/);
  });
});

it('with --validation, epochs have validation figures only, and the end those of the test', async () => {
  place.write('validated.csv', smallData(20));
  const run = ['--data', 'validated.csv', '--json', '--out', 'validated', '--batch-size', '100', ...SMALL];
  const stopping = ['--epochs', '9', '--validation', '--patience', '1', '--warm-up', '1', '--schedule', 'step'];
  const { code, stdout } = await place.run('train', [...run, ...stopping, '--schedule-step', '1']);
  expect(code).toBe(0);
  const [start, ...epochs] = parsed(stdout);
  const end = epochs.pop();
  const metrics = { 'hr@10': expect.any(Number), 'ndcg@10': expect.any(Number) };
  expect(start.validation).toMatchObject({
    protocols: start.protocols,
    testedUsers: 20,
    baselines: { random: metrics, popularity: metrics },
  });
  expect(start.validation.baselines).not.toEqual(start.baselines);
  expect(epochs.slice(0, 2).map(({ lr }) => lr)).toEqual([0.0005, 0.001]);
  for (const epoch of epochs)
    expect(epoch).toEqual(expect.objectContaining({ validation: expect.objectContaining(metrics) }));
  expect(epochs.filter((epoch) => 'hr@10' in epoch)).toEqual([]);
  const best = epochs[end.best.epoch - 1];
  expect(epochs.length, 'epochs, with patience for one').toBe(Math.min(9, best.epoch + 1));
  expect(end.best).toMatchObject({ chosenOn: 'validation items', ...metrics });
  expect(end.best.validation).toEqual(best.validation);

  const again = await place.run('train', [
    '--data',
    'validated.csv',
    '--json',
    '--resume',
    'validated/checkpoint.safetensors',
  ]);
  expect(parsed(again.stdout).at(-1)).toEqual({ ...end, seconds: expect.any(Number) });
});

it('without --json, a table is printed, the notes, and where the files are', async () => {
  place.write('small.csv', smallData(20));
  const run = ['--data', 'small.csv', '--format', 'csv', '--epochs', '2', '--out', 'table', ...SMALL];
  const { code, stdout } = await place.run('train', run);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ +popularity +- +0\.\d{4} +0\.\d{4}|^popularity/m);
  expect(stdout.match(/^ +[12] +0\.\d{4} +[01]\.\d{4} +[01]\.\d{4}/gm)).toHaveLength(2);
  expect(stdout).toMatch(/^weights {3}sha256 [0-9a-f]{64}$/m);
  expect(stdout).toMatch(/^wrote table\/checkpoint\.safetensors, table\/history\.jsonl, table\/report\.html$/m);
});

it('0 clips nothing and waits for ever', async () => {
  place.write('zeros.csv', smallData(20));
  const run = ['--data', 'zeros.csv', '--json', '--out', 'zeros', '--preset', 'lesson', '--epochs', '1', ...SMALL];
  const { code, stdout } = await place.run('train', [...run, '--validation', '--clip-norm', '0', '--patience', '0']);
  expect(code).toBe(0);
  expect(parsed(stdout)[0].settings).toMatchObject({ clipNorm: null, patience: null });
});

/** What --help says of each option that has a default. */
const DEFAULTS = {
  data: '"online-retail"',
  format: '"auto"',
  'user-column': 'found',
  'item-column': 'found',
  'timestamp-column': 'found',
  preset: DEFAULT_SETTINGS.preset,
  model: DEFAULT_SETTINGS.model,
  'gmf-dim': 'from the preset',
  'mlp-dim': 'from the preset',
  'mlp-layers': 'from the preset',
  dropout: 'from the preset',
  'batch-norm': 'from the preset',
  epochs: DEFAULT_SETTINGS.epochs,
  'batch-size': 'from the preset',
  lr: 'from the preset',
  schedule: 'from the preset',
  'schedule-factor': DEFAULT_SETTINGS.scheduleFactor,
  'schedule-step': DEFAULT_SETTINGS.scheduleStep,
  'schedule-patience': DEFAULT_SETTINGS.schedulePatience,
  'schedule-min': DEFAULT_SETTINGS.scheduleMin,
  'warm-up': DEFAULT_SETTINGS.warmUp,
  'weight-decay': 'from the preset',
  'weight-decay-tables': '--weight-decay',
  'weight-decay-biases': '--weight-decay',
  'clip-norm': 'from the preset',
  optimizer: DEFAULT_SETTINGS.optimizer,
  momentum: DEFAULT_SETTINGS.momentum,
  negatives: 'from the preset',
  sampler: 'from the preset',
  'sampler-power': DEFAULT_SETTINGS.samplerPower,
  eval: DEFAULT_SETTINGS.eval,
  k: DEFAULT_SETTINGS.k,
  'eval-every': DEFAULT_SETTINGS.evalEvery,
  validation: 'no',
  patience: 0,
  seed: DEFAULT_SETTINGS.seed,
  'eval-seed': '--seed',
  runs: 1,
  'pretrain-epochs': '--epochs',
  'pretrain-alpha': 0.5,
  'steps-per-submit': 'found',
  'checkpoint-every': '1, and more where it would take over 1 % of the time',
  adapter: '"auto"',
  out: '"runs/latest"',
};

describe('--help', () => {
  let help: string;
  beforeAll(async () => {
    const { code, stdout } = await place.run('train', ['--help']);
    expect(code).toBe(0);
    help = stdout.replace(/\n {20,}/g, ' ');
  });

  it.each(Object.entries(DEFAULTS))('has --%s with its default %s', (name, fallback) => {
    const line = help.split('\n').find((one) => new RegExp(`^ +--${name}[ ,]`).test(one));
    expect(line).toMatch(new RegExp(`default: ${fallback}`));
  });

  it('says the default of every option but those that need none', () => {
    const options = help.split('\n').filter((line) => /^ {2}(?:-h, )?--/.test(line));
    const silent = options.filter((line) => !/\bdefault: .+\)/.test(line));
    const beginnings = ['resume', 'extend', 'weights', 'pretrain', 'pretrain-from'];
    expect(silent.map((line) => /--([a-z-]+)/.exec(line)![1])).toEqual([
      'no-batch-norm',
      'baselines',
      ...beginnings,
      'json',
      'help',
    ]);
  });

  it.each(Object.entries(PRESETS))('spells out preset %s', (name, preset) => {
    const [, lines] = help.split(`\n  ${name} `);
    const text = lines!.split(/\n {2}\w/)[0]!.replace(/\s+/g, ' ');
    expect(text).toContain(`gmf-dim ${preset.gmfDim}, mlp-dim ${preset.mlpDim}, mlp-layers ${preset.mlpLayers},`);
    expect(text).toContain(`${preset.batchNorm ? ' batch-norm' : 'no-batch-norm'}, dropout ${preset.dropout}`);
    expect(text).toContain(`batch-size ${preset.batchSize}, lr ${preset.lr}, weight-decay ${preset.weightDecay}`);
    expect(text).toContain(
      `clip-norm ${preset.clipNorm ?? 0}, negatives ${preset.negatives}, sampler ${preset.sampler}, schedule ${preset.schedule}`,
    );
  });

  it('may lose its reader, as head leaves', () => {
    const command = `{ "${process.execPath}" bench/train.ts --help | true; } 2>&1`; // stderr alone comes back
    const stderr = execFileSync('sh', ['-c', command], { encoding: 'utf8' });
    expect(stderr).toBe('');
  });
});
