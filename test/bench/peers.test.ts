/** The comparison with other libraries, with contenders of paper: none of them needs to be installed. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { median } from '../../bench/kernels/median.ts';
import type { Entry } from '../../bench/peers/runner/contenders.ts';
import { type Line, type Measuring, measureEpochs, measureSteps } from '../../bench/peers/runner/measure.ts';
import { measureRankings } from '../../bench/peers/runner/ranking.ts';
import { compare, largestDifference } from '../../bench/peers/runner/statistics.ts';
import { absences, epochTable, rankingTable, stepTable } from '../../bench/peers/runner/table.ts';
import { evenShare, evenUsers, taskOf, Workload } from '../../bench/peers/runner/workload.ts';
import { decodeSafetensors } from '../../src/models/safetensors.ts';
import { Workplace } from '../cli/command.ts';

const TASK = taskOf('lesson', 32, { users: 5, items: 7 });
const HOW: Measuring = { rounds: 3, seconds: 0.1, patience: 20, checkOnly: false, say: () => {} };

/**
 * A contender that only pretends: the loss of step n is `loss`, an expression of n, and a step takes `milliseconds`.
 * @param hello what it says first, or a statement that it runs instead
 */
function paper(name: string, loss: string, milliseconds = 10, hello = `say({ device: 'paper', versions: {} })`): Entry {
  const script = `
    const say = (reply) => console.log(JSON.stringify(reply));
    console.log('a library greets');
    ${hello};
    let n = 0;
    const answers = {
      prepareSteps: () => ((n = 0), {}),
      prepareEpoch: () => ((n = 0), { drawnOnceMilliseconds: 500 }),
      steps: ({ count }) => ((n += count), { milliseconds: ${milliseconds} * count, loss: ${loss} }),
      epoch: () => ((n += 1), { milliseconds: ${milliseconds}, samples: 100, loss: ${loss} }),
    };
    const lines = require('node:readline').createInterface({ input: process.stdin });
    lines.on('line', (line) => { const request = JSON.parse(line); say(answers[request.do](request)); });`;
  return { id: name, name, command: process.execPath, args: ['--eval', script] };
}

const outcomes = (lines: readonly Line[]) => Object.fromEntries(lines.map(({ contender, out }) => [contender, out]));

describe('a comparison of steps', () => {
  it('gives ratios to ours of those that do the same step', async () => {
    const lines = await measureSteps(
      [paper('ours', '1 / n'), paper('theirs', '(1 + 2e-6) / n', 25)],
      TASK,
      '',
      '',
      HOW,
    );
    expect(lines.map(({ out }) => out)).toEqual([null, null]);
    expect(lines[0]).toMatchObject({ samplesPerSecond: 3200, difference: 0 });
    expect(lines[1].time).toMatchObject({ median: 25, ratioByRound: 2.5, ratioOfMedians: 2.5 });
    expect(lines[1].difference).toBeCloseTo(2e-6, 9);
    const table = stepTable(lines, 'text').split('\n');
    expect(table[2]).toMatch(/^lesson {5}32 {2}theirs .* 25\.0 .* 1\.28K .* 2\.50 .* 2e-6/);
    expect(new Set(table.map((row) => row.indexOf('loss') >= 0 || row.includes('→'))).size).toBe(1);
  });

  it('leaves out, with the reason, who does another step, does not train, fails, or is not there', async () => {
    const lines = await measureSteps(
      [
        paper('ours', '1 / n'),
        paper('other step', '1.001 / n'),
        paper('no number', 'NaN'),
        paper('idle', '1 / Math.min(n, 5) + (n > 5 ? 1 : 0)'),
        paper('failing', '1 / n', 10, `say({ device: 'paper', versions: {} }); process.exit(3)`),
        paper('refusing', '(() => { say({ error: "out of memory" }); process.exit() })()'),
        paper('absent', '1 / n', 10, `say({ missing: 'not installed: apt-get install it' }); process.exit()`),
        { id: 'nowhere', name: 'nowhere', command: '/nowhere/at-all', args: [] },
        paper('silent', '1 / n', 10, `setInterval(() => {}, 1000); process.stdin.resume(); throw new Error('lost')`),
      ],
      TASK,
      '',
      '',
      HOW,
    );
    expect(outcomes(lines)).toEqual({
      ours: null,
      'other step': expect.stringMatching(/^not the same step: losses 1\.001, .* and ours are 1, 0\.5, /),
      'no number': expect.stringMatching(/^not the same step: losses /),
      idle: expect.stringMatching(/^it does not train: its loss went from 1 to 1\.2$/),
      failing: expect.stringMatching(/^its process ended for prepareSteps: /),
      refusing: 'out of memory',
      absent: 'not installed: apt-get install it',
      nowhere: expect.stringContaining('ENOENT'),
      silent: expect.stringMatching(/^its process ended to start: /),
    });
    expect(stepTable(lines, 'markdown').split('\n')).toHaveLength(3);
    expect(absences(lines)).toContain('absent: not installed: apt-get install it');
    expect(absences(lines)).toContain('refusing, lesson, batch 32: out of memory');
  });

  it('gives up a contender that does not answer in time', async () => {
    const slow = paper('slow', '1 / n', 10, 'setInterval(() => {}, 1000)');
    const lines = await measureSteps([paper('ours', '1 / n'), slow], TASK, '', '', { ...HOW, patience: 2 });
    expect(outcomes(lines)).toEqual({ ours: null, slow: 'took longer than 2 s to start' });
  });

  it('ends with an error when ours is out', async () => {
    const ours = paper('ours', '1 / n', 10, `say({ missing: 'no adapter' }); process.exit()`);
    await expect(measureSteps([ours, paper('theirs', '1 / n')], TASK, '', '', HOW)).rejects.toThrow('ours: no adapter');
  });

  it('ends with what ours said when it fails in a round', async () => {
    const failing = paper(
      'ours',
      `(() => { if (n > 40) { say({ error: 'lost' }); process.exit(); } return 1 / n; })()`,
    );
    await expect(measureSteps([failing, paper('theirs', '1 / n')], TASK, '', '', HOW)).rejects.toThrow('ours: lost');
  });
});

it('a comparison of epochs extrapolates a share, and names what was drawn once', async () => {
  const entries = [paper('ours', '1 / n', 200), paper('theirs', '1 / n', 400)];
  const lines = await measureEpochs(entries, TASK, '', '', HOW);
  expect(lines.map(({ samplesPerSecond }) => samplesPerSecond)).toEqual([500, 250]);
  const [, , theirs] = epochTable(lines, 10_000, 0.1, 'markdown').split('\n').slice(1);
  expect(theirs).toBe('| lesson | 32 | theirs | 250 | 40.0 s | 5.00 s | 2.00 | 2.00 | 1.0000 → 0.2500 |');
});

describe('a comparison of rankings', () => {
  /** Ranks of three users, and the bounds that a contender gives for ours. */
  function ranker(name: string, ranks: number[], milliseconds: number, least = ranks, most = ranks): Entry {
    const replies = { prepareRanking: {}, rank: { milliseconds, ranks }, rankBounds: { least, most } };
    const script = `
      const [say, replies] = [(reply) => console.log(JSON.stringify(reply)), ${JSON.stringify(replies)}];
      say({ device: 'paper', versions: {} });
      const lines = require('node:readline').createInterface({ input: process.stdin });
      lines.on('line', (line) => say(replies[JSON.parse(line).do]));`;
    return { id: name, name, command: process.execPath, args: ['--eval', script] };
  }

  it('times those whose ranks are ours, up to logits that rounding may order either way', async () => {
    const entries = [
      ranker('ours', [0, 5, 2], 1000),
      ranker('same', [0, 5, 2], 3000),
      ranker('rounded', [0, 6, 2], 500, [0, 4, 2], [0, 6, 2]),
      ranker('other', [0, 6, 2], 1000),
      ranker('fewer', [0, 5], 1000),
    ];
    const lines = await measureRankings(entries, TASK, '', '', 3, HOW);
    expect(outcomes(lines)).toEqual({
      ours: null,
      same: null,
      rounded: null,
      other: 'not the same ranks: tested user 1 has 6 to 6, and ours is 5',
      fewer: expect.stringMatching(/^not the same ranks: tested user 2 has undefined/),
    });
    expect(lines.map(({ sameRanks }) => sameRanks?.users)).toEqual([3, 3, 2, undefined, undefined]);
    expect(lines[1].time).toMatchObject({ median: 3000, ratioByRound: 3 });
    expect(lines[1].samplesPerSecond).toBe(7); // 3 users × 7 items in 3 s
    expect(rankingTable(lines, 'markdown').split('\n')[3]).toBe(
      '| lesson | same | 3.00 | 3.00–3.00 | 7.00 | 3.00 | 3.00 | 3 of 3 |',
    );
    expect(absences(lines)).toContain(
      'other, lesson, ranking: not the same ranks: tested user 1 has 6 to 6, and ours is 5',
    );
  });

  it('ends with an error when ours is out', async () => {
    const entries = [paper('ours', '0', 0, `say({ missing: 'no adapter' }); process.exit()`), ranker('theirs', [1], 1)];
    await expect(measureRankings(entries, TASK, '', '', 1, HOW)).rejects.toThrow('ours: no adapter');
  });
});

describe('the figures', () => {
  it('compare round by round, so that a slow round meets both', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 2, 9])).toBe(3);
    const { ratioByRound, ratioOfMedians, least, most } = compare([20, 200, 30], [10, 100, 20]);
    expect([ratioByRound, ratioOfMedians, least, most]).toEqual([2, 1.5, 20, 200]);
    expect(largestDifference([1, 2.2], [1, 2])).toBeCloseTo(0.1, 12);
    expect(largestDifference([1, Number.NaN], [1, 2])).toBeNaN();
  });
});

describe('the workload', () => {
  const workload = new Workload();
  afterAll(() => workload.close());

  it('is a batch with popular items and a positive in five', () => {
    const batch = decodeSafetensors(
      new Uint8Array(readFileSync(workload.batch(taskOf('paper-8', 20_000)))),
      'batch',
    ).tensors;
    const [users, items, labels] = ['users', 'items', 'labels'].map((name) => [...batch.get(name)!.data]);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(labels)).toBeCloseTo(0.2, 1);
    expect(mean(users) / 6040).toBeCloseTo(0.5, 1); // u
    expect(mean(items) / 3706).toBeCloseTo(0.25, 1); // u³
    expect(Math.max(...users)).toBeLessThan(6040);
    expect(Math.max(...items)).toBeLessThan(3706);
  });

  it('can be an even share of the interactions', () => {
    const lists = { offsets: Uint32Array.of(0, 3, 3, 8), items: Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
    expect(evenShare(lists, 1)).toEqual(lists);
    expect(evenShare(lists, 0.5)).toEqual({ offsets: Uint32Array.of(0, 1, 1, 4), items: Uint32Array.of(2, 4, 6, 8) });
  });

  it('can be some of the tested users', () => {
    const test = { users: Uint32Array.of(3, 5, 6, 9, 12), items: Uint32Array.of(0, 1, 2, 3, 4) };
    expect(evenUsers(test)).toEqual(test);
    expect(evenUsers(test, 99)).toEqual(test);
    expect(evenUsers(test, 2)).toEqual({ users: Uint32Array.of(6, 12), items: Uint32Array.of(2, 4) });
  });

  it('has weights as after training for rankings', () => {
    const bytes = new Uint8Array(readFileSync(workload.trainedWeights(TASK)));
    const weights = decodeSafetensors(bytes, 'weights').tensors;
    expect(Math.max(...weights.get('gmf_user_emb.weight')!.data)).toBeGreaterThan(0.5);
    const variances = [...weights.get('mlp.1.running_var')!.data];
    expect(Math.min(...variances)).toBeGreaterThan(0.7);
    expect(new Set(variances).size).toBeGreaterThan(100);
  });

  it('is gone after the run', () => {
    const other = new Workload();
    const path = other.batch(TASK);
    other.close();
    expect(existsSync(path)).toBe(false);
  });
});

describe('the command line', () => {
  const place = new Workplace();
  it.each([
    ['an unknown peer', '--peers torch', /^error: .*"torch" is none of torch-cpu, /],
    ['an unknown preset', '--preset lesson,big', /^error: .*"big" is none of paper-8, /],
    ['a batch of one', '--batch 256,1', /^error: .* An integer from 2 to 1048576 would be right\.$/],
    ['a share above the whole', '--epoch-share 2', /^error: .* A number above 0, up to 1 would be right\.$/],
  ])('refuses %s', async (_, options, message) => {
    await place.expectRefused('peers/run', options.split(' '), message);
  });
});
