import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createConsole } from '../../bench/report/console.ts';
import { describeChoice, formatCount, formatDuration, formatRate } from '../../bench/report/format.ts';
import { type Run, renderReport } from '../../bench/report/html.ts';
import { createJsonLines } from '../../bench/report/json-lines.ts';
import type { Best, EndEvent, EpochEvent, StartEvent } from '../../src/train/history.ts';

const start: StartEvent = {
  event: 'start',
  adapter: 'llvmpipe: Mesa 25.0.7',
  adapterKind: 'software',
  data: 'online-retail',
  users: 4074,
  items: 3145,
  interactions: 264_514,
  testedUsers: 4074,
  parameters: 289_217,
  protocols: { sampled: 'leave-one-out, 99 sampled negatives, ties against the model' },
  baselines: {
    random: { 'hr@10': 0.1, 'ndcg@10': 0.0454 },
    popularity: { 'hr@10': 0.393, 'ndcg@10': 0.211 },
  },
  settings: { model: 'neumf', preset: 'paper-8', epochs: 3, mlpLayers: [32, 16, 8] },
  notes: ['3 users have a single interaction: kept for training, not tested'],
};
const epochs: EpochEvent[] = [
  {
    event: 'epoch',
    epoch: 1,
    lr: 1e-3,
    loss: 0.317,
    'hr@10': 0.5,
    'ndcg@10': 0.3,
    seconds: 12.3,
    evalSeconds: 0.8,
    samplesPerSecond: 1_034_000,
  },
  { event: 'epoch', epoch: 2, lr: 1e-3, loss: 0.254, seconds: 112.5, samplesPerSecond: 987 },
  {
    event: 'epoch',
    epoch: 3,
    lr: 5e-4,
    loss: 0.244,
    'hr@10': 0.55,
    'ndcg@10': 0.32,
    seconds: 9,
    evalSeconds: 1.25,
    samplesPerSecond: 1_100_000,
  },
];
const end: EndEvent = {
  event: 'end',
  best: { epoch: 3, chosenOn: 'test items', 'hr@10': 0.55, 'ndcg@10': 0.32 },
  final: null,
  alarms: [],
  weightsSha256: 'ab'.repeat(32),
  seconds: 135.9,
  stopped: false,
};
const full = { 'hr@10': 0.07, 'ndcg@10': 0.035, 'mrr@10': 0.02, 'hr@5': 0.04, 'ndcg@5': 0.025, 'mrr@5': 0.015 };
/** The same run with both protocols, two cut-offs, and everything that its end has to say. */
const both = {
  start: {
    ...start,
    protocols: { ...start.protocols, full: 'leave-one-out, all unseen items, ties against the model' },
    baselines: { popularity: { 'hr@10': 0.393, 'ndcg@10': 0.211, full: { 'hr@10': 0.036, 'ndcg@10': 0.018 } } },
  },
  epochs: epochs.map((epoch) => (epoch['hr@10'] === undefined ? epoch : { ...epoch, full })),
  end: {
    ...end,
    best: { ...end.best!, 'mrr@10': 0.26, 'hr@5': 0.4, 'ndcg@5': 0.28, 'mrr@5': 0.24, auc: 0.83, full },
    final: {
      epoch: 3,
      strata: [
        { stratum: 'head', items: 280, testedUsers: 1435, 'hr@10': 0.87, 'ndcg@10': 0.56, full },
        { stratum: 'tail', items: 2865, testedUsers: 0 },
      ],
      lists: { 'coverage@10': 0.129, 'gini@10': 0.9809, 'popularity@10': 506.74 },
    },
    alarms: ['hidden layer 2 is dead: its units are zero for every pair looked at'],
  },
} as const satisfies Run;
/** The same run with epochs evaluated on validation items. */
const figures = { 'hr@10': 0.45, 'ndcg@10': 0.25 };
const untested: Best = { epoch: 3, chosenOn: 'validation items', validation: figures };
const validated: Run & { readonly end: EndEvent } = {
  start: {
    ...start,
    baselines: { popularity: start.baselines.popularity! },
    validation: {
      protocols: start.protocols,
      testedUsers: 4000,
      baselines: { popularity: { 'hr@10': 0.3, 'ndcg@10': 0.2 } },
    },
  },
  epochs: epochs.map(({ 'hr@10': hr, 'ndcg@10': _, ...rest }) => (hr ? { ...rest, validation: figures } : rest)),
  end: { ...end, best: { ...end.best!, ...untested } },
};
const unevaluated = epochs.map(({ 'hr@10': _, 'ndcg@10': __, evalSeconds: ___, ...rest }) => rest);
const render = (run: Partial<Run> = {}) =>
  renderReport({ start, epochs, end, ...run }, new Date('2026-03-01T14:05:00Z'));
const scriptsOf = (page: string) => [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script]) => script);

describe('report.html', () => {
  it('names data, model, adapter, protocol, baselines, the choice of the best epoch and the weights', () => {
    const page = render().replaceAll('>\n<', '><');
    for (const text of [
      'neumf paper-8',
      'online-retail',
      'software adapter',
      '2026-03-01 14:05 UTC',
      'Epoch 3, best of 2 evaluated epochs, chosen on the test items',
      start.protocols.sampled!,
      '<b>0.5500</b> HR@10',
      '<th scope="row">popularity</th><td>–</td><td>0.3930</td><td>0.2110</td>',
      '[32,16,8]',
      end.weightsSha256,
      'Leon Sorokin',
    ]) {
      expect(page).toContain(text);
    }
  });

  it('shows the test of the epoch that validation items chose, and epochs and baselines on these', () => {
    const page = render(validated).replaceAll('>\n<', '><');
    for (const text of [
      '<b>0.5500</b> HR@10',
      'Epoch 3, best of 2 evaluated epochs, chosen on the validation items',
      'Baselines and epochs <small>on the validation items</small>',
      '<th scope="row">popularity</th><td>–</td><td>0.3000</td><td>0.2000</td>',
      '<th scope="row">3</th><td>0.2440</td><td>0.4500</td><td>0.2500</td>',
      'Ranking of the validation items',
    ]) {
      expect(page).toContain(text);
    }
  });

  it('shows validation figures under their name while nothing is tested', () => {
    for (const end of [null, { ...validated.end, best: untested }]) {
      const page = render({ ...validated, end });
      expect(page).toContain('<b>0.4500</b> validation HR@10');
      expect(page).toContain('4,000 users validated, none tested yet');
    }
  });

  it('holds no address, so it opens offline', () => {
    const page = render();
    expect(page).not.toMatch(/[a-z]+:\/\//i);
    expect(page).not.toMatch(/\b(?:src|href)\s*=|@import|url\(/i);
  });

  it('holds one script, which parses and carries the baselines', () => {
    const [script, ...others] = scriptsOf(render());
    expect(others).toEqual([]);
    expect(() => new vm.Script(script)).not.toThrow();
    expect(script).toContain('"popularity NDCG"');
  });

  it('has the figures of both protocols, each under its name, and what its end has to say', () => {
    const page = render(both).replaceAll('>\n<', '><');
    for (const text of [
      '<b>0.5500</b> HR@10',
      '<b>0.0700</b> HR@10',
      'id="metrics-sampled"',
      'id="metrics-full"',
      '<th colspan="2" scope="colgroup">sampled</th><th colspan="2" scope="colgroup">full</th>',
      '<th scope="row">3</th><td>0.2440</td><td>0.5500</td><td>0.3200</td><td>0.0700</td><td>0.0350</td>',
      '<caption>leave-one-out, all unseen items, ties against the model</caption>',
      '<th colspan="2" scope="colgroup">NDCG</th><th colspan="2" scope="colgroup">MRR</th>',
      '<th>@5</th><th>@10</th><th>@5</th><th>@10</th><th>@5</th><th>@10</th><th>AUC</th>',
      '<th scope="row">epoch 3</th><td>0.4000</td><td>0.5500</td>',
      '<th scope="row">popularity</th><td>–</td><td>0.3930</td>',
      'Recall is HR, MAP is MRR, and Precision is HR / k',
      '<th scope="row">head</th><td>280</td><td>1,435</td><td>0.8700</td><td>0.5600</td><td>0.0700</td><td>0.0350</td>',
      '<th scope="row">tail</th><td>2,865</td><td>0</td><td>–</td><td>–</td><td>–</td><td>–</td>',
      '<th scope="row">10</th><td>0.1290</td><td>0.9809</td><td>506.7</td>',
      'Alarm: hidden layer 2 is dead',
    ]) {
      expect(page).toContain(text);
    }
    expect(page).not.toMatch(/<td>(?:undefined|null|NaN)/);
  });

  it('shows hostile names as text and keeps them inside the script as data', () => {
    const hostile = '</script><img src=x onerror="alert(\'1\')">&amp;<!--';
    const page = render({
      start: {
        ...start,
        data: hostile,
        adapter: hostile,
        baselines: { [hostile]: start.baselines.random! },
        settings: { [hostile]: hostile },
        protocols: { sampled: hostile, full: hostile },
      },
      end: { ...end, alarms: [hostile] },
    });
    expect(page).not.toContain('<img');
    expect(page).not.toContain('<!--');
    expect(page).toContain('&lt;/script&gt;&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;&lt;!--');
    const scripts = scriptsOf(page);
    expect(scripts).toHaveLength(1);
    expect(() => new vm.Script(scripts[0])).not.toThrow();
  });

  it('of a run stopped before its first epoch says so and draws nothing', () => {
    const page = render({ epochs: [], end: { ...end, best: null, stopped: true } });
    expect(page).toContain('No epoch was finished');
    expect(page).toContain('0 of 3 epochs in 2 min 16 s, stopped by hand');
    expect(page).not.toContain('<figure');
    expect(page).not.toContain('<script');
  });

  it('of a run without evaluations shows the loss and no ranking', () => {
    const page = render({ epochs: unevaluated, end: { ...end, best: null } });
    expect(page).toContain('id="loss"');
    expect(page).not.toContain('id="metrics-');
    expect(page).toContain('No result: no epoch was evaluated');
    expect(page).not.toMatch(/<td>(?:undefined|null|NaN)/);
  });

  it('of a run that broke off gives the best epoch so far', () => {
    const page = render({ end: null });
    expect(page).toContain('Epoch 3, best of 2');
    expect(page).toContain('3 of 3 epochs so far: this run has not ended');
  });
});

function capture(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  return { stream, text: () => String(stream.read() ?? '') };
}
const progress = { epoch: 1, epochs: 3, done: 50, total: 200, loss: 0.3, samplesPerSecond: 1_034_000, etaSeconds: 725 };

describe('a run with pre-training', () => {
  const branches = epochs
    .slice(0, 2)
    .map((epoch, i) => ({ ...epoch, branch: i ? ('mlp' as const) : ('gmf' as const) }));

  it('has its branches’ epochs in the report’s table, and neither in its charts nor as its best', () => {
    const page = render({ branches });
    expect(page).toMatch(/<th scope="row">gmf 1<\/th>[\s\S]*<th scope="row">mlp 2<\/th>[\s\S]*<th scope="row">1<\/th>/);
    expect(page.match(/<tr class="best"><th scope="row">3<\/th>/g)).toHaveLength(1);
    expect(scriptsOf(page)).toEqual(scriptsOf(render()));
    expect(page).toContain('3 of 3 epochs');
  });

  it('has them as rows on the console, and in the choice of the best epoch not', () => {
    const { stream, text } = capture(false);
    const display = createConsole({ stream, epochs: 3 });
    display.start(start);
    for (const event of [...branches, ...epochs]) display.epoch(event);
    display.end(end);
    const lines = text().split('\n');
    expect(lines.slice(9, 12)).toEqual([
      '     gmf 1    0.3170    0.5000    0.3000     12.30      0.80     1.03M',
      '     mlp 2    0.2540         –         –    112.50         –       987',
      '         1    0.3170    0.5000    0.3000     12.30      0.80     1.03M',
    ]);
    expect(lines.join()).toContain('(best of 2 evaluated epochs, chosen on the test items)');
  });

  it('says on the bar what is trained, and that only this ends', async () => {
    const { stream, text } = capture(true);
    const display = createConsole({ stream, epochs: 3 });
    display.progress({ ...progress, epochs: 7, branch: 'mlp' });
    const bar = () => stripVTControlCharacters(text());
    await expect.poll(bar).toMatch(/mlp epoch 1\/7 .*samples\/s {2}mlp ends in 12 min 05 s/);
    display.progress(progress);
    await expect.poll(bar).toMatch(/(?<!mlp )epoch 1\/3 .*run ends in/);
    display.close();
  });
});

describe('console', () => {
  it('prints header, baselines and epochs as rows of equal width to a log, and no bar', () => {
    const { stream, text } = capture(false);
    const display = createConsole({ stream, epochs: 3 });
    display.start(start);
    for (const event of epochs) {
      display.progress({ ...progress, epoch: event.epoch });
      display.epoch(event);
    }
    display.end(end);
    display.close();
    const lines = text().split('\n');
    expect(lines.slice(0, 5)).toEqual([
      'data      online-retail: 4,074 users × 3,145 items, 264,514 interactions',
      'model     neumf paper-8, 289,217 parameters',
      'adapter   llvmpipe: Mesa 25.0.7 (software adapter: runs on the CPU, not on a GPU)',
      'protocol  leave-one-out, 99 sampled negatives, ties against the model; 4,074 users tested',
      'note      3 users have a single interaction: kept for training, not tested',
    ]);
    const table = lines.slice(6, 12);
    expect(table).toEqual([
      '     epoch      loss     HR@10   NDCG@10   seconds    eval s samples/s',
      '    random         –    0.1000    0.0454         –         –         –',
      'popularity         –    0.3930    0.2110         –         –         –',
      '         1    0.3170    0.5000    0.3000     12.30      0.80     1.03M',
      '         2    0.2540         –         –    112.50         –       987',
      '         3    0.2440    0.5500    0.3200      9.00      1.25     1.10M',
    ]);
    expect(lines.slice(12)).toEqual([
      '',
      'best      epoch 3: HR@10 0.5500, NDCG@10 0.3200 (best of 2 evaluated epochs, chosen on the test items)',
      'time      2 min 16 s',
      `weights   sha256 ${end.weightsSha256}`,
      '',
    ]);
  });

  it('has the figures of both protocols under their names, and the end’s', () => {
    const { stream, text } = capture(false);
    const display = createConsole({ stream, epochs: 3 });
    display.start(both.start);
    display.epoch(both.epochs[0]);
    display.end(both.end);
    const lines = text().split('\n');
    expect(lines.slice(3, 5)).toEqual([
      'sampled   leave-one-out, 99 sampled negatives, ties against the model; 4,074 users tested',
      'full      leave-one-out, all unseen items, ties against the model; 4,074 users tested',
    ]);
    expect(lines.slice(7, -1)).toEqual([
      '                                 sampled                full',
      '     epoch      loss     HR@10   NDCG@10     HR@10   NDCG@10   seconds    eval s samples/s',
      'popularity         –    0.3930    0.2110    0.0360    0.0180         –         –         –',
      '         1    0.3170    0.5000    0.3000    0.0700    0.0350     12.30      0.80     1.03M',
      '',
      'best      epoch 3: sampled HR@10 0.5500, NDCG@10 0.3200; full HR@10 0.0700, NDCG@10 0.0350 (best of 1 epoch, chosen on the test items)',
      'at 5      sampled HR@5 0.4000, NDCG@5 0.2800; full HR@5 0.0400, NDCG@5 0.0250',
      'head      280 items, 1,435 users tested in epoch 3: sampled HR@10 0.8700, NDCG@10 0.5600; full HR@10 0.0700, NDCG@10 0.0350',
      'tail      2,865 items, 0 users tested in epoch 3: sampled HR@10 –, NDCG@10 –; full HR@10 –, NDCG@10 –',
      'lists     the 10 best of each user in epoch 3: 12.9 % of all items, Gini 0.9809, mean popularity 506.7',
      'ALARM     hidden layer 2 is dead: its units are zero for every pair looked at',
      'time      2 min 16 s',
      `weights   sha256 ${end.weightsSha256}`,
    ]);
  });

  it('says that the figures are those on validation items where they are, and shows the test at the end', () => {
    const { stream, text } = capture(false);
    const display = createConsole({ stream, epochs: 3 });
    display.start(validated.start);
    for (const event of validated.epochs) display.epoch(event);
    display.end(validated.end);
    const lines = text().split('\n');
    expect(lines).toContain(
      'validated on one item of 4,000 users each, as in the table; the best epoch is then tested',
    );
    expect(lines).toContain('popularity         –    0.3000    0.2000         –         –         –');
    expect(lines).toContain('         3    0.2440    0.4500    0.2500      9.00      1.25     1.10M');
    expect(lines.slice(-6, -3)).toEqual([
      'best      epoch 3: validation HR@10 0.4500, NDCG@10 0.2500 (best of 2 evaluated epochs, chosen on the validation items)',
      'test      epoch 3: HR@10 0.5500, NDCG@10 0.3200',
      'test      popularity: HR@10 0.3930, NDCG@10 0.2110',
    ]);
  });

  it('says that nothing was tested when the run was stopped before', () => {
    const { stream, text } = capture(false);
    const display = createConsole({ stream, epochs: 3 });
    display.start(validated.start);
    display.end({ ...validated.end, best: untested, stopped: true });
    expect(text()).toContain('\ntest      not yet: the run was stopped\n');
  });

  it('keeps a bar below the rows on a terminal and gives the cursor back', async () => {
    const { stream, text } = capture(true);
    const display = createConsole({ stream, epochs: 3 });
    display.progress(progress);
    await expect
      .poll(() => stripVTControlCharacters(text()))
      .toMatch(/epoch 1\/3 █{5}░{15} {2}25% {2}loss 0\.3000 {2}1\.03M samples\/s {2}run ends in 12 min 05 s/);
    display.epoch(epochs[0]);
    display.close();
    display.close();
    const last = text();
    expect(last).toContain('\x1b[?25h');
    expect(stripVTControlCharacters(last)).toMatch(/ 1 {4}0\.3170 .*1\.03M\n$/);
  });
});

it('--json prints an object a line and ignores progress', () => {
  const { stream, text } = capture(true);
  const display = createJsonLines(stream);
  display.start(start);
  display.progress(progress);
  for (const event of epochs) display.epoch(event);
  display.end(end);
  display.close();
  const lines = text().trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([start, ...epochs, end]);
});

describe('numbers', () => {
  it.each([
    [0.4213, '0.42 s'],
    [9.996, '10.0 s'],
    [59.97, '1 min 00 s'],
    [119.6, '2 min 00 s'],
    [3599.7, '1 h 00 min'],
    [7380, '2 h 03 min'],
    [86_399, '1 d 00 h'],
    [273_600, '3 d 04 h'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('%d seconds is %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it('groups counts, shortens rates, and counts one epoch as one', () => {
    expect(formatCount(264_514)).toBe('264,514');
    expect(formatRate(1_234_567)).toBe('1.23M');
    expect(formatRate(Number.NaN)).toBe('–');
    expect(describeChoice(end.best!, 1, 1)).toBe('best of 1 epoch, chosen on the test items');
  });
});
