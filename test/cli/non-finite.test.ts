/** What the command says and keeps when training leaves the numbers. */
import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { SMALL, smallData, Workplace } from './command.ts';

const place = new Workplace();
const RUN = ['--data', 'data.csv', '--eval', 'none', ...SMALL];
const errors = (stderr: string) => stderr.split('\n').filter((line) => line !== '' && !line.startsWith('note: '));
const read = (name: string) => readFileSync(place.path(name), 'utf8');

beforeAll(() => place.write('data.csv', smallData().replaceAll('u0,', '=u0,')));

describe('a run that leaves the numbers', () => {
  it('ends with exit code 1 and one line: the step, the batch, the checkpoint, and what may help', async () => {
    const { code, stderr, stdout } = await place.run('train', [...RUN, '--lr', '1e30', '--out', 'first']);
    expect(code).toBe(1);
    expect(stdout).not.toContain('wrote');
    const [line, ...more] = errors(stderr);
    expect(more).toEqual([]);
    const said =
      /^error: the loss became NaN in epoch 1 at step ([23]) of 6, at a learning rate of 1e\+30; its batch: 256 samples of (\d+) users \("[^"]+", "[^"]+", "[^"]+", …\) with (\d+) items \("i\d+", "i\d+", "i\d+", …\), all in first\/nan-batch\.csv; there was no checkpoint yet; a smaller --lr, --clip-norm or --on-nan rewind may help$/;
    expect(line).toMatch(said);
    const [, , users, items] = said.exec(line!)!;

    const [head, ...rows] = read('first/nan-batch.csv').trimEnd().split('\n');
    expect(head).toBe('user,item,label');
    expect(rows).toHaveLength(256);
    const cells = rows.map((row) => row.split(','));
    const distinct = (column: number) => new Set(cells.map((row) => row[column])).size;
    expect([distinct(0), distinct(1)]).toEqual([Number(users), Number(items)]);
    for (const [user, item, label] of cells) {
      expect(user, 'no formula for a spreadsheet').toMatch(/^(u\d+|"?'=u0"?)$/);
      expect(item).toMatch(/^i\d+$/);
      expect(label).toMatch(/^[01]$/);
    }
    expect(existsSync(place.path('first/checkpoint.safetensors'))).toBe(false);
  });

  it('leaves the last good checkpoint as it was, and names it', async () => {
    const checkpoint = 'good/checkpoint.safetensors';
    const good = await place.run('train', [...RUN, '--epochs', '1', '--out', 'good']);
    expect(good.code).toBe(0);
    const before = readFileSync(place.path(checkpoint));
    const resume = ['--data', 'data.csv', '--resume', checkpoint, '--epochs', '3', '--lr', '1e30', '--out', 'good'];
    const { code, stderr } = await place.run('train', resume);
    expect(code).toBe(1);
    expect(errors(stderr)).toEqual([
      expect.stringMatching(
        / in epoch 2 at step \d of 6, .*; the last good checkpoint is good\/checkpoint\.safetensors; a/,
      ),
    ]);
    expect(readFileSync(place.path(checkpoint)).equals(before)).toBe(true);
  });
});

it('with --on-nan rewind a run goes back aloud and comes to its end, and its checkpoint remembers', async () => {
  const wild = [
    '--model',
    'mlp',
    '--optimizer',
    'sgd',
    '--mlp-layers',
    '4',
    '--batch-size',
    '32',
    '--lr',
    '100',
    '--on-nan',
    'rewind',
  ];
  const first = await place.run('train', [...RUN, ...wild, '--epochs', '2', '--json', '--out', 'wild']);
  expect([first.code, errors(first.stderr)]).toEqual([0, []]);
  const events = first.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const recovered = events.filter(({ event }) => event === 'recovered');
  expect(recovered.length).toBeGreaterThan(0);
  expect(recovered[0]).toMatchObject({ reason: 'not finite', step: 0, factor: 0.5 });
  const epochs = events.filter(({ event }) => event === 'epoch');
  expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(epochs.at(-1).lr).toBe(100 * recovered.at(-1).factor);
  expect(read('wild/history.jsonl')).toBe(first.stdout);
  expect(read('wild/report.html')).toMatch(
    /training went back, and on from step 0 at half the rate, 0\.5 of the schedule’s/,
  );

  const resume = ['--data', 'data.csv', '--resume', 'wild/checkpoint.safetensors', '--epochs', '3', '--out', 'wild'];
  const second = await place.run('train', resume);
  expect(second.code).toBe(0);
  expect(second.stdout).toMatch(
    /^note {6}the loss became .*; training went back, and on from step 0 at half the rate/m,
  );
});
