import { describe, expect, it } from 'vitest';
import { type NamedRun, renderRuns, runsTable } from '../../bench/report/runs.ts';
import type { StartEvent } from '../../src/train/history.ts';
import { summariseRuns } from '../../src/train/runs.ts';
import { start as single } from './run-fixture.ts';

const start: StartEvent = {
  ...single,
  baselines: { popularity: single.baselines.popularity! },
  settings: { model: 'neumf', preset: 'paper-8', epochs: 1, seed: 42, evalSeed: 42 },
  notes: ['EASE: λ 500'],
};

function run(seed: number, hr: number, ndcg: number): NamedRun {
  const metrics = { 'hr@10': hr, 'ndcg@10': ndcg, 'mrr@10': 0.2 };
  const epoch = {
    event: 'epoch' as const,
    epoch: 1,
    lr: 1e-3,
    loss: 0.25,
    ...metrics,
    seconds: 9,
    samplesPerSecond: 1000,
  };
  const best = { epoch: 1, chosenOn: 'test items' as const, ...metrics };
  const end = {
    event: 'end' as const,
    best,
    final: null,
    alarms: [],
    weightsSha256: 'ab'.repeat(32),
    seconds: 12,
    stopped: false,
  };
  return { name: `run-${seed - 41}`, seed, start, epochs: [epoch], end };
}
const runs = [run(42, 0.5, 0.3), run(43, 0.6, 0.3)];
const summary = summariseRuns(runs);

describe('the summary of several runs', () => {
  it('is a table of mean and deviation', () => {
    expect(runsTable(summary, start).split('\n')).toEqual([
      'runs      2 runs with seeds 42, 43; the same candidates for all, drawn with seed 42; best epochs chosen on the test items; mean ± sample deviation',
      '',
      '              best epoch       last epoch',
      'epoch          1.0 ± 0.0                –',
      'loss                   –  0.2500 ± 0.0000',
      'HR@10    0.5500 ± 0.0707  0.5500 ± 0.0707',
      'NDCG@10  0.3000 ± 0.0000  0.3000 ± 0.0000',
      'MRR@10   0.2000 ± 0.0000  0.2000 ± 0.0000',
    ]);
  });

  it('names the protocol where there are two, and candidates only where some are drawn', () => {
    const full = { 'hr@10': 0.1, 'ndcg@10': 0.05 };
    const both = runs.map(({ end, epochs, ...rest }) => ({
      ...rest,
      epochs: epochs.map((epoch) => ({ ...epoch, full })),
      end: { ...end, best: { ...end.best!, full } },
    }));
    const protocols = { ...start.protocols, full: 'leave-one-out, all unseen items' };
    const table = runsTable(summariseRuns(both), { ...start, protocols });
    expect(table).toMatch(/^sampled HR@10 +0\.5500 ± 0\.0707/m);
    expect(table).toMatch(/^full NDCG@10 +0\.0500 ± 0\.0000 +0\.0500 ± 0\.0000$/m);
    expect(runsTable(summary, { ...start, protocols: {} })).not.toContain('candidates');
  });

  it('is a page that opens offline, with the baselines and the way to each run’s report', () => {
    const page = renderRuns(summary, runs, new Date('2026-03-01T14:05:00Z')).replaceAll('>\n<', '><');
    expect(page).not.toMatch(/[a-z]+:\/\//i);
    expect(page).not.toContain('<script');
    for (const text of [
      '2026-03-01 14:05 UTC',
      'neumf paper-8',
      start.protocols.sampled!,
      'Note: EASE: λ 500.',
      '<th scope="row">HR@10</th><td>0.5500 ± 0.0707</td><td>0.5500 ± 0.0707</td><td>0.3930</td>',
      '<a href="run-2/report.html">run-2</a></th><td>43</td><td>1</td><td>0.6000</td><td>0.3000</td><td>12.0 s</td>',
    ]) {
      expect(page).toContain(text);
    }
  });

  it('shows hostile names as text', () => {
    const hostile = '<img src=x onerror="alert(1)">';
    const named = { ...start, data: hostile, baselines: { [hostile]: start.baselines.popularity } };
    const page = renderRuns(summary, [{ ...runs[0], start: named }], new Date(0));
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;');
  });
});
