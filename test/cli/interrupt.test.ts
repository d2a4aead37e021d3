import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { SMALL, smallData, Workplace } from './command.ts';

const place = new Workplace();
const RUN = ['--data', 'data.csv', '--epochs', '3', '--batch-size', '2', '--json', ...SMALL];

const parsed = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const end = (stdout: string) => parsed(stdout).at(-1);

beforeAll(() => place.write('data.csv', smallData()));

describe.each([
  ['the paper’s way of training', []],
  ['BatchNorm, dropout, clipping and gradient descent', ['--preset', 'lesson', '--optimizer', 'sgd', '--lr', '0.1']],
])('a run stopped by Ctrl-C, with %s,', (name, options) => {
  const folder = name.split(' ')[0]!;

  it('writes checkpoint and report, ends with 130, and goes on to the same weights', async () => {
    // Within the first epoch: no other checkpoint is there yet.
    const stopped = await place.run('train', [...RUN, ...options, '--out', folder], (line, child) => {
      if (JSON.parse(line).event === 'start') setTimeout(() => child.kill('SIGINT'), 50);
    });
    expect(stopped.code).toBe(130);
    const last = end(stopped.stdout);
    expect(last).toMatchObject({ event: 'end', stopped: true });
    expect(parsed(stopped.stdout)).toHaveLength(2);
    for (const file of ['checkpoint.safetensors', 'report.html'])
      expect(existsSync(place.path(`${folder}/${file}`))).toBe(true);
    expect(readFileSync(place.path(`${folder}/history.jsonl`), 'utf8')).toBe(stopped.stdout);

    // Settings come from the checkpoint.
    const resume = ['--resume', `${folder}/checkpoint.safetensors`, '--data', 'data.csv', '--json', '--out', folder];
    const resumed = await place.run('train', resume);
    expect(resumed.code).toBe(0);
    const straight = await place.run('train', [...RUN, ...options, '--out', `${folder}-straight`]);
    expect(end(resumed.stdout)).toMatchObject({ stopped: false, weightsSha256: end(straight.stdout).weightsSha256 });
    expect(end(resumed.stdout).weightsSha256).not.toBe(last.weightsSha256);
    const figures = (stdout: string) => parsed(stdout).map(({ epoch, loss, 'hr@10': hr }) => ({ epoch, loss, hr }));
    expect(figures(resumed.stdout)).toEqual(figures(straight.stdout));
  });
});

it('a finished run has nothing to resume, and says the same again', async () => {
  const out = ['--out', 'finished'];
  const first = await place.run('train', ['--data', 'data.csv', '--epochs', '2', '--json', ...SMALL, ...out]);
  const again = await place.run('train', [
    '--data',
    'data.csv',
    '--json',
    '--resume',
    'finished/checkpoint.safetensors',
    ...out,
  ]);
  expect(again.code).toBe(0);
  expect(end(again.stdout).weightsSha256).toBe(end(first.stdout).weightsSha256);
  expect(parsed(again.stdout).slice(1, -1)).toEqual(parsed(first.stdout).slice(1, -1));
});
