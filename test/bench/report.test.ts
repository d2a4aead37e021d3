import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { describeChoice, formatCount, formatDuration, formatRate } from '../../bench/report/format.ts';
import { type Run, renderReport } from '../../bench/report/html.ts';
import { both, branches, end, epochs, start, unevaluated, untested, validated } from './run-fixture.ts';

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

it('has its branches’ epochs in the report’s table, and neither in its charts nor as its best', () => {
  const page = render({ branches });
  expect(page).toMatch(/<th scope="row">gmf 1<\/th>[\s\S]*<th scope="row">mlp 2<\/th>[\s\S]*<th scope="row">1<\/th>/);
  expect(page.match(/<tr class="best"><th scope="row">3<\/th>/g)).toHaveLength(1);
  expect(scriptsOf(page)).toEqual(scriptsOf(render()));
  expect(page).toContain('3 of 3 epochs');
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
