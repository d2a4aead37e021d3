import { readFileSync, renameSync, rmSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { type Ended, SMALL, smallData, Workplace } from './command.ts';

const place = new Workplace();
const RUN = ['--data', 'data.csv', '--epochs', '4', '--batch-size', '2', '--json', ...SMALL];

const parsed = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
/** Everything but the note on the slow adapter. */
const errors = ({ stderr }: Ended) => stderr.split('\n').filter((line) => line !== '' && !line.startsWith('note: '));

beforeAll(() => place.write('data.csv', smallData()));

/** Takes the run's folder away and puts a file in its place. */
function block(folder: string): void {
  renameSync(place.path(folder), place.path(`${folder}-before`));
  place.write(folder, 'in the way');
}

it('a run whose folder cannot be written for a while goes on, says so, and keeps all in the end', async () => {
  const ended = await place.run('train', [...RUN, '--out', 'run'], (line) => {
    const { event, note } = JSON.parse(line);
    if (event === 'start') block('run');
    if (event === 'note' && /EEXIST/.test(note)) rmSync(place.path('run'));
  });
  expect([ended.code, errors(ended)]).toEqual([0, []]);
  const events = parsed(ended.stdout);
  expect(events.filter(({ event }) => event === 'note').map(({ note }) => note)).toEqual([
    expect.stringMatching(
      /^--out run: the folder cannot be made: EEXIST.*; training goes on, and files are tried again/,
    ),
    '--out run: all files are written again',
  ]);
  expect(readFileSync(place.path('run/history.jsonl'), 'utf8')).toBe(ended.stdout);
  expect(readFileSync(place.path('run/report.html'), 'utf8')).toContain('all files are written again');

  const resume = ['--resume', 'run/checkpoint.safetensors', '--data', 'data.csv', '--json', '--out', 'resumed'];
  const { stdout } = await place.run('train', resume);
  expect(parsed(stdout).at(-1).weightsSha256).toBe(events.at(-1).weightsSha256);
});

it('one whose folder cannot be written to the end trains to the end, and ends with 2 and the reason', async () => {
  const ended = await place.run('train', [...RUN, '--epochs', '2', '--out', 'lost'], (line) => {
    if (JSON.parse(line).event === 'start') block('lost');
  });
  const events = parsed(ended.stdout).map(({ event }) => event);
  expect(events).toEqual(['start', 'note', 'epoch', 'epoch', 'end']);
  expect(errors(ended)).toEqual([
    expect.stringMatching(
      /^error: the run has ended, but its last state is not kept: --out lost: the folder cannot be made: EEXIST/,
    ),
  ]);
  expect(ended.code).toBe(2);
});

it('one that nobody listens to any more stops as for Ctrl-C', async () => {
  const ended = await place.run('train', [...RUN, '--out', 'alone'], (line, child) => {
    if (JSON.parse(line).event === 'start') child.stdout!.destroy();
  });
  expect([ended.code, errors(ended)]).toEqual([130, []]);
  const history = parsed(readFileSync(place.path('alone/history.jsonl'), 'utf8'));
  expect(history.at(-1)).toMatchObject({ event: 'end', stopped: true });
});
