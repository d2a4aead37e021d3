import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { SMALL, smallData, Workplace } from './command.ts';

const place = new Workplace();
const LOSING = { NODE_OPTIONS: `--import=${new URL('lose-device.ts', import.meta.url)}` };
const TIMES = /"(seconds|evalSeconds|samplesPerSecond)":[^,}]*/g;

beforeAll(() => place.write('data.csv', smallData()));

it('a run with pre-training whose device is lost goes on to the same weights, and says so wherever it says something', async () => {
  const run = ['--data', 'data.csv', '--epochs', '2', '--pretrain', '--pretrain-epochs', '2', '--batch-size', '32'];
  const args = [...run, ...SMALL, '--steps-per-submit', '1', '--json'];
  const straight = await place.run('train', [...args, '--out', 'straight']);
  const lost = await place.run('train', [...args, '--out', 'lost'], undefined, LOSING);
  expect([straight.code, lost.code]).toEqual([0, 0]);

  const lines = lost.stdout.split('\n');
  const said = lines.filter((line) => line.includes('"recovered"'));
  expect(said.map((line) => JSON.parse(line))).toEqual([
    {
      event: 'recovered',
      reason: 'device lost',
      message: expect.stringMatching(/^the GPU device was lost \(destroyed\): /),
      step: expect.any(Number),
      branch: 'gmf',
    },
  ]);
  const others = lines.filter((line) => !said.includes(line)).join('\n');
  expect(others.replace(TIMES, '')).toBe(straight.stdout.replace(TIMES, ''));

  expect(readFileSync(place.path('lost/history.jsonl'), 'utf8')).toBe(lost.stdout);
  const { step } = JSON.parse(said[0]!);
  const note = `another one was opened, and training went on from step ${step} of gmf.`;
  expect(readFileSync(place.path('lost/report.html'), 'utf8')).toContain(note);
});
