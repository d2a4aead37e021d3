import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { SMALL, smallData, Workplace } from './command.ts';

const place = new Workplace();
const RUN = ['--data', 'data.csv', '--json', '--epochs', '1', '--batch-size', '100', ...SMALL];

const parsed = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const start = (stdout: string) => parsed(stdout)[0];
const end = (stdout: string) => parsed(stdout).at(-1);
const epochs = (stdout: string) => parsed(stdout).filter(({ event }) => event === 'epoch');
const figures = (stdout: string) => epochs(stdout).map(({ branch, epoch, loss }) => ({ branch, epoch, loss }));

/** Trains to the end. */
async function run(folder: string, options: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await place.run('train', [...RUN, '--out', folder, ...options]);
  expect([code, stderr.split('\n').filter((line) => line && !line.startsWith('note: '))]).toEqual([0, []]);
  return stdout;
}
const checkpoint = (folder: string) => `${folder}/checkpoint.safetensors`;

/** Of the MLP's only epoch. */
let mlpLoss: number;

beforeAll(async () => {
  place.write('data.csv', smallData());
  place.write('grown.csv', `${smallData(41)}new,i1,1\nnew,i21,2\nu1,another,9\nnew,i22,3\n`);
  const lesson = new URL('../golden/lesson-state-dict.safetensors', import.meta.url);
  copyFileSync(fileURLToPath(lesson), place.path('lesson.safetensors'));
  await run('gmf', ['--model', 'gmf']);
  mlpLoss = epochs(await run('mlp', ['--model', 'mlp']))[0].loss;
});

describe('--pretrain', () => {
  const PRETRAIN = ['--pretrain', '--pretrain-epochs', '2', '--pretrain-alpha', '0.3'];
  let straight: string;
  beforeAll(async () => {
    straight = await run('straight', PRETRAIN);
  });

  it('trains GMF, then MLP, then NeuMF by gradient descent, and says what each epoch is of', () => {
    expect(epochs(straight).map(({ branch, epoch }) => [branch, epoch])).toEqual([
      ['gmf', 1],
      ['gmf', 2],
      ['mlp', 1],
      ['mlp', 2],
      [undefined, 1],
    ]);
    expect(start(straight).settings).toMatchObject({
      ...{ model: 'neumf', optimizer: 'sgd', lr: 0.3, epochs: 1 },
      pretrain: { epochs: 2, alpha: 0.3 },
    });
    expect(end(straight).best).toMatchObject({ epoch: 1 });
  });

  it('stopped by Ctrl-C while the MLP is trained, goes on to the same weights', async () => {
    const stopped = await place.run('train', [...RUN, ...PRETRAIN, '--out', 'stopped'], (line, child) => {
      const { branch, epoch } = JSON.parse(line);
      if (branch === 'mlp' && epoch === 1) child.kill('SIGINT');
    });
    expect([stopped.code, end(stopped.stdout).stopped]).toEqual([130, true]);
    expect(epochs(stopped.stdout).at(-1).branch).toBe('mlp');
    // Settings, those of the pre-training too, come from the checkpoint.
    const resume = ['--resume', checkpoint('stopped'), '--data', 'data.csv', '--json', '--out', 'stopped'];
    const { stdout } = await place.run('train', resume);
    expect(end(stdout).weightsSha256).toBe(end(straight).weightsSha256);
    expect(figures(stdout)).toEqual(figures(straight));
  });
});

it('--pretrain-from fuses two trained models and says so', async () => {
  const files = `${checkpoint('gmf')},${checkpoint('mlp')}`;
  const stdout = await run('fused', ['--pretrain-from', files]);
  expect(start(stdout).notes[0]).toBe(`NeuMF was fused from ${checkpoint('gmf')} and ${checkpoint('mlp')}, alpha 0.5`);
  expect(start(stdout).settings).toMatchObject({ model: 'neumf', optimizer: 'sgd', lr: 0.3 });
  expect(epochs(stdout)[0].loss).toBeLessThan(mlpLoss);
});

it('--weights begins with the weights and sizes of a state dict that PyTorch saved', async () => {
  const rows = Array.from({ length: 63 }, (_, n) => `${Math.floor(n / 9)},${n % 9}`);
  place.write('lesson.csv', `user,item\n${rows.filter((_, n) => n % 4 !== 3).join('\n')}\n`);
  const options = ['--data', 'lesson.csv', '--weights', 'lesson.safetensors', '--json', '--epochs', '1'];
  const { stdout: lesson } = await place.run('train', [...options, '--out', 'lesson', '--batch-size', '100']);
  expect(start(lesson).settings).toMatchObject({ gmfDim: 4, mlpDim: 6, mlpLayers: [8, 4], batchNorm: true });
  expect(start(lesson).notes.slice(0, 2)).toEqual([
    'the weights are those of lesson.safetensors',
    'lesson.safetensors does not say whom its rows stand for: they are taken to be those of the data, in order of appearance',
  ]);
});

it('--extend trains on with new users and items, and --resume goes on from that', async () => {
  const grown = ['--data', 'grown.csv', '--extend', checkpoint('gmf'), '--epochs', '2'];
  const { stdout } = await place.run('train', [...grown, '--json', '--out', 'grown']);
  expect(start(stdout)).toMatchObject({ users: 42, items: 41, settings: { model: 'gmf', gmfDim: 4 } });
  expect(start(stdout).notes[0]).toBe(`${checkpoint('gmf')} has 2 users and 1 item more now`);
  expect(epochs(stdout).map(({ epoch }) => epoch)).toEqual([1, 2]);
  const resume = ['--data', 'grown.csv', '--resume', checkpoint('grown'), '--json', '--out', 'grown'];
  const { stdout: again } = await place.run('train', resume);
  expect(end(again).weightsSha256).toBe(end(stdout).weightsSha256);
});

describe('one line says what was wrong, and the exit code is 2:', () => {
  let runs = 0; // side by side, so each has a folder of its own
  it.concurrent.each<[string, string, string]>([
    [
      'two beginnings',
      '--weights lesson.safetensors --pretrain',
      '--weights with --pretrain: a run begins in one way; one of them would be right',
    ],
    [
      'a share without a fusion',
      '--pretrain-alpha 0.5',
      '--pretrain-alpha 0.5 belongs to --pretrain or --pretrain-from, which would be right',
    ],
    [
      'epochs without pre-training',
      '--pretrain-epochs 3',
      '--pretrain-epochs 3 belongs to --pretrain, which would be right',
    ],
    [
      'epochs for a run that began without',
      `--pretrain-epochs 3 --resume ${checkpoint('gmf')}`,
      `--pretrain-epochs 3: ${checkpoint('gmf')} is of a run without pre-training; leaving it out would be right`,
    ],
    [
      'one file to fuse',
      `--pretrain-from ${checkpoint('gmf')}`,
      `--pretrain-from ${checkpoint('gmf')}: two files, gmf.safetensors,mlp.safetensors, would be right`,
    ],
    [
      'two files the wrong way round',
      `--pretrain-from ${checkpoint('mlp')},${checkpoint('gmf')}`,
      `${checkpoint('mlp')}: it is a model of kind mlp, and one of kind gmf would be right`,
    ],
    ['weights that are none', '--weights nowhere', 'nowhere: no such file'],
    [
      'a state dict to extend',
      '--extend lesson.safetensors',
      'lesson.safetensors: its format is "not given", and "neumf-webgpu 1" would be right',
    ],
  ])('%s', async (_, options, message) => {
    await place.expectRefused(
      'train',
      ['--data', 'data.csv', '--out', `other-${++runs}`, ...options.split(' ')],
      message,
    );
  });
});
