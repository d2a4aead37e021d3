/** The package's commands on a checkpoint, as a user runs them. */
import { existsSync, readFileSync } from 'node:fs';
import Papa from 'papaparse';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors } from '../../src/models/safetensors.ts';
import { SMALL, smallData, Workplace } from './command.ts';

const place = new Workplace();
const CHECKPOINT = 'run/checkpoint.safetensors';
/** Ids that a spreadsheet would take for formulas, among others. */
const idOf = (item: number) => `${['=', '+', '-', '@', 'i'][item % 5]}${item}`;
const DATA = smallData().replace(/,i(\d+),/g, (_, item) => `,${idOf(Number(item))},`);
const seen = Map.groupBy(
  DATA.trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(',')),
  ([user]) => user!,
);

const neumf = (...args: string[]) => place.run('neumf', args);
const read = (name: string) => readFileSync(place.path(name), 'utf8');
/** Without the note on a slow adapter. */
const notes = (stderr: string) => stderr.split('\n').filter((line) => line !== '' && !/^note: SwiftShader/.test(line));

beforeAll(async () => {
  place.write('data.csv', DATA);
  place.write('titles.csv', `item,title\n${idOf(1)},"One, the first"\n${idOf(2)},=Two\n${idOf(4)},<b>&\n`);
  const { code } = await neumf('train', '--data', 'data.csv', '--epochs', '3', '--out', 'run', ...SMALL);
  expect(code).toBe(0);
});

describe('recommend', () => {
  it.concurrent('writes CSV that no spreadsheet takes for formulas, with nothing that a user has seen', async () => {
    const asked = ['recommend', CHECKPOINT, '--data', 'data.csv', '--items', 'titles.csv', '--k', '35'];
    const { code, stdout } = await neumf(...asked, '--user', 'u3', 'u8', '--format', 'csv');
    expect(code).toBe(0);
    const { data } = Papa.parse<Record<string, string>>(stdout.trimEnd(), { header: true });
    expect(Object.keys(data[0]!)).toEqual(['user', 'rank', 'item', 'name', 'score']);
    for (const user of ['u3', 'u8']) {
      const own = data.filter((row) => row.user === user);
      const items = own.map(({ item }) => item!.replace(/^'/, ''));
      const taken = seen.get(user)!.map(([, item]) => item!);
      expect(new Set([...items, ...taken]), 'what is not recommended has been seen').toHaveLength(40);
      expect(own.map(({ rank }) => Number(rank))).toEqual(own.map((_, i) => i + 1));
      const scores = own.map(({ score }) => Number(score));
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }
    for (const { item, name } of data) {
      expect(item).toMatch(/^('[=@]|[+\-i])\d+$/); // -2 is a number
      if (item === `'${idOf(1)}`) expect(name).toBe('One, the first');
      if (item === idOf(2)) expect(name).toBe("'=Two");
    }
  });

  it.concurrent('writes all users’ lists as JSON into a file, with ids as they are', async () => {
    const asked = [
      'recommend',
      CHECKPOINT,
      '--data',
      'data.csv',
      '--all',
      '--k',
      '2',
      '--exclude=-2,=5',
      '--format',
      'json',
    ];
    const { code, stdout } = await neumf(...asked, '--out', 'all.json');
    expect([code, stdout, existsSync(place.path('all.json.partial'))]).toEqual([0, '', false]);
    const lists: { user: string; recommendations: { item: string }[] }[] = JSON.parse(read('all.json'));
    expect(lists.map(({ user }) => user)).toEqual([...seen.keys()]);
    expect(lists.every(({ recommendations }) => recommendations.length === 2)).toBe(true);
    const items = lists.flatMap(({ recommendations }) => recommendations.map(({ item }) => item));
    expect(items.filter((item) => !/^[=+\-@i]\d+$/.test(item) || ['-2', '=5'].includes(item))).toEqual([]);
  });

  it.concurrent('takes users from a file, and shows a table', async () => {
    place.write('users.csv', 'name,user_id\nAnn,u9\nBob,u1\n');
    const asked = ['recommend', CHECKPOINT, '--data', 'data.csv', '--k', '1', '--candidates', 'i4,i9,i14'];
    const { stdout } = await neumf(...asked, '--users', 'users.csv');
    expect(stdout).toMatch(/^user u9\n {2}rank {2}item +score\n +1 {2}i\d+ +0\.\d{4}\n\nuser u1\n/);
    expect(stdout.match(/i(4|9|14)\b/g)).toHaveLength(2);
  });

  it.concurrent('recommends to a user whom the model does not know, or says that it is popularity', async () => {
    const asked = ['recommend', CHECKPOINT, '--data', 'data.csv', '--format', 'json', '--k', '3'];
    const [known, unknown] = await Promise.all([
      neumf(...asked, '--history', '=0,@3', 'nowhere'),
      neumf(...asked, '--history', 'nowhere'),
    ]);
    expect(JSON.parse(known.stdout)).toEqual([{ source: 'model', recommendations: expect.any(Array) }]);
    expect(notes(known.stderr)).toEqual(['note: unknown items had no part in it: nowhere']);
    expect(known.stdout).not.toMatch(/"=0"|"@3"/);
    expect(JSON.parse(unknown.stdout)[0].source).toBe('popularity');
    expect(notes(unknown.stderr)[1]).toBe('note: no item of the history is known, so these are the most popular items');
  });

  it.concurrent('ranks what another model retrieves', async () => {
    const asked = ['recommend', CHECKPOINT, '--data', 'data.csv', '--user', 'u0', '--format', 'json'];
    const [alone, staged] = await Promise.all([neumf(...asked), neumf(...asked, '--retriever', CHECKPOINT)]);
    expect(JSON.parse(staged.stdout)).toEqual(JSON.parse(alone.stdout));
  });
});

it.concurrent('similar finds items by an item, and users by a user', async () => {
  const [items, users] = await Promise.all([
    neumf('similar', CHECKPOINT, '--item==0', '--items', 'titles.csv', '--k', '40', '--format', 'csv'),
    neumf('similar', CHECKPOINT, '--user', 'u0', '--k', '4', '--format', 'json'),
  ]);
  const rows = items.stdout.trimEnd().split('\n');
  expect(rows[0]).toBe('rank,item,name,cosine');
  expect(rows).toHaveLength(40);
  expect(JSON.parse(users.stdout)[0]).toMatchObject({
    to: 'u0',
    similar: [{ rank: 1, user: expect.stringMatching(/^u/) }, {}, {}, {}],
  });
});

it.concurrent('evaluate gives the figures that the training ended with', async () => {
  const { code, stdout } = await neumf('evaluate', CHECKPOINT, '--data', 'data.csv', '--format', 'json');
  expect(code).toBe(0);
  const [sampled, full] = JSON.parse(stdout) as { protocol: string; metrics: { metric: string; value: number }[] }[];
  const last = read('run/history.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .findLast(({ event }) => event === 'epoch');
  for (const metric of ['hr@10', 'ndcg@10', 'auc']) {
    expect(sampled!.metrics.find((one) => one.metric === metric)!.value, metric).toBe(last[metric]);
  }
  expect([sampled!.protocol, full!.protocol]).toEqual([
    'leave-one-out, 32 sampled negatives, ties against the model',
    'leave-one-out, all unseen items, ties against the model',
  ]);
});

it.concurrent('export writes embeddings in two formats, and the same map for the same seed', async () => {
  const asked = ['export', CHECKPOINT, '--items', 'titles.csv', '--map-items', '30'];
  const [first] = await Promise.all([neumf(...asked, '--out', 'a'), neumf(...asked, '--out', 'b')]);
  expect([first.code, first.stdout]).toEqual([
    0,
    expect.stringMatching(/^wrote a\/embeddings\.safetensors, .*a\/map\.html\n$/),
  ]);
  const { tensors, metadata } = decodeSafetensors(
    new Uint8Array(readFileSync(place.path('a/embeddings.safetensors'))),
    'a',
  );
  const [items, users] = [tensors.get('items')!, tensors.get('users')!];
  expect([items.shape, users.shape]).toEqual([
    [40, 8],
    [40, 8],
  ]);
  const ids: string[] = JSON.parse(metadata.itemIds!);
  const vectors = read('a/items.vectors.tsv')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').map(Number));
  expect(Float32Array.from(vectors.flat())).toEqual(items.data);
  const names = read('a/items.metadata.tsv').trimEnd().split('\n');
  expect(names[0]).toBe('id\tname');
  expect(names.slice(1).map((line) => line.split('\t')[0])).toEqual(ids);
  expect(read('a/users.metadata.tsv').trimEnd().split('\n')).toEqual(JSON.parse(metadata.userIds!));
  const map = read('a/map.html');
  expect(map.match(/<circle /g)).toHaveLength(30);
  expect(map).toContain('30 items, evenly chosen of 40. UMAP, seed 42.');
  expect(map).toContain('<title>&lt;b&gt;&amp;</title>');
  expect(map).not.toMatch(/NaN|(?:src|href)=|\/\/[\w.-]+\.\w+/);
  expect(read('b/map.html')).toBe(map);
});

describe('one line says what was wrong, and the exit code is 2:', () => {
  it.concurrent.each<[string, string[], string | RegExp]>([
    [
      'an unknown user',
      ['recommend', CHECKPOINT, '--data', 'data.csv', '--user', 'u99'],
      `${CHECKPOINT}: no user "u99"; it knows 40 users, such as "u0", "u1", "u2"`,
    ],
    [
      'an unknown item',
      ['similar', CHECKPOINT, '--item', 'i99'],
      /^error: run.*: no item "i99"; it knows 40 items, such as "=0", /,
    ],
    [
      'no data',
      ['recommend', CHECKPOINT, '--all'],
      /^error: run.*: what users have seen is not known; the data set, or /,
    ],
    [
      'too many asked for',
      ['recommend', CHECKPOINT, '--all', '--user', 'u1'],
      /^error: recommend: 2 of them were given; one of /,
    ],
    ['no item and no user', ['similar', CHECKPOINT], 'similar: neither given; --item or --user would be right'],
    ['a missing checkpoint', ['similar', 'nowhere', '--item', 'i4'], 'nowhere: no such file'],
    [
      'other data',
      ['evaluate', CHECKPOINT, '--data', 'users9.csv'],
      /^error: run\/checkpoint\.safetensors: its user number 0 is "u0", and /,
    ],
    [
      'a file that cannot be written',
      ['similar', CHECKPOINT, '--item', 'i4', '--out', 'no/where'],
      /^error: --out no\/where: it cannot be written: ENOENT/,
    ],
    ['an unknown command', ['recomend', CHECKPOINT], "unknown command 'recomend' (Did you mean recommend?)"],
  ])('%s', async (_, args, message) => {
    if (args.includes('users9.csv')) place.write('users9.csv', smallData().replaceAll('u0,', 'u00,'));
    await place.expectRefused('neumf', args, message);
  });
});

it('--help names the commands, and a command has its own', async () => {
  const { code, stdout } = await neumf('--help');
  expect(code).toBe(0);
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name);
  expect(commands).toEqual(['train', 'evaluate', 'recommend', 'similar', 'export']);
  const help = await neumf('recommend', '--help');
  expect([help.code, help.stdout]).toEqual([0, expect.stringContaining('--history <id...>')]);
});
