import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createConsole } from '../../bench/report/console.ts';
import { createJsonLines } from '../../bench/report/json-lines.ts';
import { both, branches, end, epochs, note, progress, start, untested, validated } from './run-fixture.ts';

function capture(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  return { stream, text: () => String(stream.read() ?? '') };
}

describe('a run with pre-training', () => {
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

  it('has what happened on the way among the epochs', () => {
    const { stream, text } = capture(false);
    const display = createConsole({ stream, epochs: 3 });
    display.start(start);
    display.epoch(epochs[0]);
    display.note(note);
    expect(text()).toMatch(/1\.03M\nnote {6}--out run: report\.html cannot be written: the disk is full\n$/);
  });

  it('says of a run with patience that it ends in that time at most', async () => {
    const { stream, text } = capture(true);
    const display = createConsole({ stream, epochs: 3 });
    display.progress({ ...progress, atMost: true });
    await expect.poll(() => stripVTControlCharacters(text())).toContain('run ends in at most 12 min 05 s');
    display.close();
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
  display.note(note);
  display.end(end);
  display.close();
  const lines = text().trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([start, ...epochs, note, end]);
});
