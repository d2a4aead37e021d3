import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Ended, SMALL, smallData, Workplace } from './command.ts';

const place = new Workplace();
const RUN = ['--data', 'data.csv', '--epochs', '2', '--batch-size', '64', '--json', ...SMALL];
const parsed = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

beforeAll(() => place.write('data.csv', smallData()));

describe('with --runs 2', () => {
  let ended: Ended;
  let events: ReturnType<typeof parsed>;

  beforeAll(async () => {
    ended = await place.run('train', [...RUN, '--runs', '2', '--seed', '7', '--out', 'both']);
    events = parsed(ended.stdout);
  });

  it('the events of each run follow each other, then those of both together', () => {
    expect(ended.code).toBe(0);
    const one = ['start', 'epoch', 'epoch', 'end'];
    expect(events.map(({ event }) => event)).toEqual([...one, ...one, 'runs']);
    expect(events.at(-1)).toMatchObject({ event: 'runs', seeds: [7, 8] });
    const [first, second] = [events[3].best['hr@10'], events[7].best['hr@10']];
    expect(events.at(-1).best.mean['hr@10']).toBeCloseTo((first + second) / 2, 12);
    expect(events.at(-1).best.deviation['hr@10']).toBeCloseTo(Math.abs(first - second) / Math.SQRT2, 12);
    expect(events[7].weightsSha256).not.toBe(events[3].weightsSha256);
  });

  it('each run has its own folder, and the summary stands beside them', () => {
    const folders = ['run-1', 'run-2'].flatMap((run) =>
      ['checkpoint.safetensors', 'history.jsonl', 'report.html'].map((file) => `${run}/${file}`),
    );
    for (const file of [...folders, 'runs.html']) expect(existsSync(place.path(`both/${file}`)), file).toBe(true);
    expect(readFileSync(place.path('both/run-1/history.jsonl'), 'utf8')).toBe(
      `${ended.stdout.split('\n', 4).join('\n')}\n`,
    );
    expect(JSON.parse(readFileSync(place.path('both/runs.json'), 'utf8'))).toEqual(events.at(-1));
  });

  it('the second is what its seed gives alone on the candidates of the first', async () => {
    const alone = await place.run('train', [...RUN, '--seed', '8', '--eval-seed', '7', '--out', 'alone']);
    const figures = ({ baselines, settings, loss, best, weightsSha256, ...rest }: Record<string, unknown>) => ({
      ...{ event: rest.event, hr: rest['hr@10'], ndcg: rest['ndcg@10'] },
      ...{ baselines, settings, loss, best, weightsSha256 },
    });
    expect(parsed(alone.stdout).map(figures)).toEqual(events.slice(4, 8).map(figures));
    expect(events[4].baselines).toEqual(events[0].baselines);
  });
});

it('a series stopped by Ctrl-C keeps the run that it was in and sums up those before', async () => {
  let starts = 0;
  const args = [...RUN, '--batch-size', '2', '--runs', '4', '--out', 'stopped'];
  const { code, stdout } = await place.run('train', args, (line, child) => {
    if (JSON.parse(line).event === 'start' && ++starts === 3) setTimeout(() => child.kill('SIGINT'), 20);
  });
  expect(code).toBe(130);
  const events = parsed(stdout);
  expect(events.filter(({ event }) => event === 'end').map(({ stopped }) => stopped)).toEqual([false, false, true]);
  expect(events.at(-1)).toMatchObject({ event: 'runs', seeds: [42, 43] });
  expect(existsSync(place.path('stopped/run-3/checkpoint.safetensors'))).toBe(true);
  expect(existsSync(place.path('stopped/run-4'))).toBe(false);
});

it('with --baselines item-kNN, EASE and MF stand in the table of every run, fitted once and explained', async () => {
  const args = ['--data', 'data.csv', '--epochs', '1', ...SMALL, '--baselines', '--runs', '2', '--out', 'baselines'];
  const { code, stdout } = await place.run('train', args);
  expect(code).toBe(0);
  for (const name of ['item-kNN', 'EASE', 'MF']) {
    const rows = stdout
      .split('\n')
      .filter((line) => new RegExp(`^ *${name} +– +\\d\\.\\d{4} +\\d\\.\\d{4}`).test(line));
    expect(rows, name).toHaveLength(2);
    expect(rows[1]).toBe(rows[0]);
    expect(stdout.split('\n').filter((line) => line.startsWith(`note      ${name}: `))).toHaveLength(2);
  }
  const [start] = parsed(readFileSync(place.path('baselines/run-2/history.jsonl'), 'utf8'));
  expect(Object.keys(start.baselines)).toEqual(['random', 'popularity', 'item-kNN', 'EASE', 'MF']);
  expect(readFileSync(place.path('baselines/runs.html'), 'utf8')).toContain('<th>item-kNN</th>');
});
