/** Comparing runs of the microbenchmark, and what its command line refuses; the rest needs an adapter: test/kernels/bench.test.ts. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { compareRuns, parseRun } from '../../bench/kernels/compare.ts';
import { comparisonLines } from '../../bench/kernels/json.ts';
import { addOptions } from '../../bench/kernels/options.ts';
import { comparisonReport } from '../../bench/kernels/report.ts';
import { ConfigError } from '../../src/errors.ts';
import { PRESETS } from '../../src/models/config.ts';
import { Workplace } from '../cli/command.ts';

const lines = (...objects: object[]) => `${objects.map((object) => JSON.stringify(object)).join('\n')}\n`;
const ceilings = (adapter: string, gigabytesPerSecond: number) => [
  { ceiling: 'copyBufferToBuffer', adapter, gigabytesPerSecond, microseconds: 1 },
  { ceiling: 'multiplyAdd', adapter, gigaflopsPerSecond: 100, microseconds: 1 },
];
const timed = (kernel: string, shape: string, microseconds: number, variant?: string) => ({
  ...{ kernels: [kernel], shape, variant, passed: true, microseconds, preset: 'lesson', batch: 8 },
});

const EARLIER = lines(
  ...ceilings('CPU', 10),
  timed('gather', '8', 40),
  timed('linear', '8 → 4', 100, 'blocks'),
  timed('linear', '8 → 4', 90, 'subgroup'),
  timed('group_count', '8', 5),
  timed('bce', '8', 7),
  ...ceilings('CPU', 20),
  timed('gather', '16', 80),
);
const NOW = lines(
  ...ceilings('CPU', 12),
  { kernels: ['bce'], shape: '8', preset: 'lesson', batch: 8, passed: false, failure: 'out[0] is 1, not 2' },
  timed('gather', '8', 20),
  timed('linear', '8 → 4', 200, 'blocks'),
  timed('linear', '8 → 4', 22.5, 'subgroup'),
  timed('group_link', '8', 3),
  timed('gather', '16', 40),
);

describe('a comparison', () => {
  const comparison = compareRuns(parseRun(EARLIER, 'a'), parseRun(NOW, 'b'), () => true);

  it('divides the earlier median by the present one, for each kernel, shape and variant', () => {
    const rows = comparison.lines.map(({ kernels, shape, variant, earlier, now, ratio }) => [
      ...[kernels[0], shape, variant, earlier, now, ratio],
    ]);
    expect(rows).toEqual([
      ['gather', '8', undefined, 40, 20, 2],
      ['linear', '8 → 4', 'blocks', 100, 200, 0.5],
      ['linear', '8 → 4', 'subgroup', 90, 22.5, 4],
      ['group_link', '8', undefined, null, 3, null],
      ['gather', '16', undefined, 80, 40, 2],
      ['group_count', '8', undefined, 5, null, null],
      ['bce', '8', undefined, 7, null, null],
    ]);
    expect(comparison.geometricMean).toBeCloseTo((2 * 0.5 * 4 * 2) ** (1 / 4), 12);
  });

  it('prints a table, the ceilings, and what only one of the runs has', () => {
    const text = comparisonReport(comparison, 'old.jsonl').split('\n');
    expect(text[0]).toBe('compared with old.jsonl: the same adapter, CPU');
    expect(text[1]).toBe('ceilings, earlier → now: copy 15.0 → 12.0 GB/s, multiply-adds 100 → 100 GFLOP/s');
    expect(text).toContain('linear       8 → 4  subgroup        90.0    22.5           4.00');
    expect(text).toContain('group_count  8                      5.00       –              –');
    expect(text.at(-1)).toBe(
      'earlier / now, above 1 is faster now: 4 in common, geometric mean 1.68; 2 only earlier, 1 only now',
    );
  });

  it('says so when the adapters differ, or when nothing is common to both', () => {
    const other = parseRun(lines(...ceilings('GPU', 900), timed('sum', '8', 1)), 'c');
    const unlike = compareRuns(parseRun(EARLIER, 'a'), other, ({ kernels }) => kernels.includes('bce'));
    expect(unlike.geometricMean).toBeNull();
    expect(unlike.lines.map(({ kernels }) => kernels[0])).toEqual(['sum', 'bce']);
    const text = comparisonReport(unlike, 'old.jsonl');
    expect(text).toMatch(
      /^compared with old\.jsonl, which another adapter measured:\n {2}earlier CPU\n {2}now {5}GPU\n/,
    );
    expect(text).toMatch(/no kernel and shape in common; 1 only earlier, 1 only now$/);
  });

  it('is a JSON object a line when asked for', () => {
    const objects = comparisonLines(comparison, 'old.jsonl')
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(objects).toHaveLength(8);
    expect(objects[1]).toEqual({
      ...{ comparedWith: 'old.jsonl', kernels: ['linear'], shape: '8 → 4', variant: 'blocks' },
      ...{ earlierMicroseconds: 100, microseconds: 200, ratio: 0.5 },
    });
    expect(objects[7]).toEqual({
      ...{ comparison: 'old.jsonl', earlierAdapter: 'CPU', adapter: 'CPU' },
      ...{ geometricMean: comparison.geometricMean, onlyEarlier: 2, onlyNow: 1 },
    });
  });
});

const RIGHT = 'a file that --out of bench/kernels.ts wrote would be right';

it.each([
  ['an empty file', '', `x: line 1 is none of a run's; ${RIGHT}`],
  ['other text', `${EARLIER}and so on`, `x: line 11 is none of a run's; ${RIGHT}`],
  ['other JSON', '{"event":"start","adapter":"CPU"}', `x: line 1 is none of a run's; ${RIGHT}`],
  ['kernels before the ceilings', lines(timed('sum', '8', 1)), `x: line 1 is none of a run's; ${RIGHT}`],
  ['a kernel without a time', lines(...ceilings('CPU', 1), timed('sum', '8', 0)), `x: line 3 has no time; ${RIGHT}`],
  [
    'runs of two adapters',
    lines(...ceilings('CPU', 1), ...ceilings('GPU', 9)),
    `x: line 3 is of another adapter than those before it; ${RIGHT}`,
  ],
])('an earlier run cannot be %s', (_, text, message) => {
  expect(() => parseRun(text, 'x')).toThrow(new ConfigError(message));
});

describe('the command line', () => {
  const place = new Workplace();

  it('keeps a run and compares with it', async () => {
    const run = ['advance', '--batch', '8,16', '--repeats', '1', '--json'];
    const first = await place.run('kernels', [...run, '--out', 'kept.jsonl']);
    expect(first.code).toBe(0);
    expect(readFileSync(place.path('kept.jsonl'), 'utf8')).toBe(first.stdout.trimEnd());
    const second = await place.run('kernels', [...run, '--compare', 'kept.jsonl']);
    const objects = second.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(objects.map((object) => object.ceiling ?? object.kernels?.join() ?? object.comparison)).toEqual([
      ...['copyBufferToBuffer', 'multiplyAdd', 'advance', 'advance', 'kept.jsonl'],
    ]);
    expect(objects[3].ratio).toBeCloseTo(
      JSON.parse(first.stdout.split('\n')[2]!).microseconds / objects[2].microseconds,
      9,
    );
  });

  it('sweeps all presets and three batches, unless others are named', () => {
    const parsed = (...words: string[]) => {
      const program = new Command();
      addOptions(program);
      return program.parse(words, { from: 'user' }).opts();
    };
    const all = Object.keys(PRESETS);
    expect(parsed()).toMatchObject({ preset: ['paper-8'], batch: [1024] });
    expect(parsed('--sweep')).toMatchObject({ preset: all, batch: [256, 4096, 65536] });
    expect(parsed('--batch', '64,8', '--sweep')).toMatchObject({ preset: all, batch: [64, 8] });
    expect(parsed('--sweep', '--preset', 'lesson')).toMatchObject({ preset: ['lesson'], batch: [256, 4096, 65536] });
  });

  it('names the variants of products in its help', async () => {
    const { code, stdout } = await place.run('kernels', ['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\nVariants of a linear layer’s products on SwiftShader.*:\n {2}blocks: 1,024 × 64 → 32 relu; /,
    );
  });

  it.concurrent.each([
    ['an unknown preset', '--preset lesson,big', /^error: .*"big" is none of paper-8, /],
    ['a batch of one', '--batch 256,1', /^error: .* An integer from 2 to 1048576 would be right\.$/],
    ['an empty batch', '--batch 256,', /^error: .* An integer from 2 to 1048576 would be right\.$/],
    ['an unknown kernel', 'tanh', /^error: no kernel's name holds "tanh": there are adam, /],
    ['a missing earlier run', '--compare nowhere', 'error: --compare nowhere: no such file'],
    ['a file that cannot be written', '--out .', /^error: --out \.: it cannot be written: EISDIR/],
  ])('refuses %s', async (_, options, message) => {
    const expected = typeof message === 'string' ? message.replace('error: ', '') : message;
    await place.expectRefused('kernels', options.split(' '), expected);
  });
});
