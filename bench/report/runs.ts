/** The summary of several runs with other seeds, as text and as a page. */
import type { Evaluated } from '../../src/evaluate/evaluation.ts';
import type { Metrics } from '../../src/evaluate/metrics.ts';
import type { EndEvent, StartEvent } from '../../src/train/history.ts';
import type { EndedRun, RunsEvent, Spread } from '../../src/train/runs.ts';
import { formatDuration, formatScore, MISSING } from './format.ts';
import { type Html, html } from './markup.ts';
import { cells, renderPage } from './page.ts';
import { metricNames, type Protocol, protocolsOf } from './protocols.ts';

/** A run, and the name of its folder. */
export interface NamedRun extends EndedRun {
  readonly name: string;
  readonly start: StartEvent;
}

/** "0.6123 ± 0.0021" */
const formatSpread = (mean: number | undefined, deviation: number | undefined): string =>
  mean === undefined ? MISSING : `${formatScore(mean)} ± ${formatScore(deviation)}`;

const spreadOf = (spread: Spread<Evaluated> | null, { metricsIn }: Protocol, name: keyof Metrics): string =>
  spread ? formatSpread(metricsIn(spread.mean)[name], metricsIn(spread.deviation)[name]) : MISSING;

/** The protocol is named where there are two. */
const titleOf = (name: string, { key }: Protocol, { length }: readonly Protocol[]): string =>
  `${length > 1 ? `${key} ` : ''}${name.toUpperCase()}`;

/** Whose figures these are, what all runs share, and on what each chose its best epoch. */
function describeRuns({ seeds, best }: RunsEvent, { settings, protocols, validation }: StartEvent): string {
  const shared = protocols.sampled ? `; the same candidates for all, drawn with seed ${settings.evalSeed}` : '';
  const chosen = best ? `; best epochs chosen on the ${validation ? 'validation' : 'test'} items` : '';
  return `${seeds.length} runs with seeds ${seeds.join(', ')}${shared}${chosen}; mean ± sample deviation`;
}

/** Lines for the console: a table of metrics in the best epochs and in the last. */
export function runsTable(event: RunsEvent, start: StartEvent): string {
  const { best, last } = event;
  const protocols = protocolsOf(start);
  const epoch = best ? `${best.mean.epoch.toFixed(1)} ± ${best.deviation.epoch.toFixed(1)}` : MISSING;
  const rows = [
    ['', 'best epoch', 'last epoch'],
    ['epoch', epoch, MISSING],
    ['loss', MISSING, formatSpread(last.mean.loss, last.deviation.loss)],
    ...protocols.flatMap((protocol) =>
      metricNames(protocol.metricsIn((best ?? last).mean)).map((name) => [
        titleOf(name, protocol, protocols),
        spreadOf(best, protocol, name),
        spreadOf(last, protocol, name),
      ]),
    ),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, ...values]) => [name.padEnd(width), ...values.map((value) => value.padStart(16))]);
  return [`runs      ${describeRuns(event, start)}`, '', ...lines.map((line) => line.join(' '))].join('\n');
}

/** Every metric of one protocol, beside the baselines. */
function metricsSection({ best, last }: RunsEvent, { baselines }: StartEvent, protocol: Protocol): Html {
  const { name: title, metricsIn } = protocol;
  const rows = metricNames(metricsIn((best ?? last).mean)).map(
    (name) =>
      html`<tr><th scope="row">${name.toUpperCase()}</th>${cells([
        spreadOf(best, protocol, name),
        spreadOf(last, protocol, name),
        ...Object.values(baselines).map((evaluated) => formatScore(metricsIn(evaluated)[name])),
      ])}</tr>`,
  );
  return html`<section><h2>All metrics <small>${title}</small></h2>
<div class="scroll"><table class="numbers">
<thead><tr><td></td>${['best epoch', 'last epoch', ...Object.keys(baselines)].map((name) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody>
</table></div></section>`;
}

/** Each run's best epoch on a line, with the way to its own report. */
function runsSection(runs: readonly NamedRun[], protocols: readonly Protocol[]): Html {
  const columns = protocols.flatMap((protocol) =>
    (['hr@10', 'ndcg@10'] as const).map((name) => ({
      title: titleOf(name, protocol, protocols),
      figure: (best: EndEvent['best']) => formatScore(best ? protocol.metricsIn(best)[name] : undefined),
    })),
  );
  const rows = runs.map(
    ({ name, seed, end: { best, seconds, weightsSha256 } }) =>
      html`<tr><th scope="row"><a href="${name}/report.html">${name}</a></th>${cells([
        String(seed),
        best ? String(best.epoch) : MISSING,
        ...columns.map(({ figure }) => figure(best)),
        formatDuration(seconds),
        weightsSha256.slice(0, 12),
      ])}</tr>`,
  );
  const titles = ['Run', 'Seed', 'Best epoch', ...columns.map(({ title }) => title), 'Time', 'Weights'];
  return html`<section><h2>Runs</h2><div class="scroll"><table class="numbers">
<thead><tr>${titles.map((title) => html`<th>${title}</th>`)}</tr></thead>
<tbody>${rows}</tbody>
</table></div></section>`;
}

/** The summary as a page beside the runs' folders. */
export function renderRuns(event: RunsEvent, runs: readonly NamedRun[], date: Date): string {
  const [{ start }] = runs;
  const protocols = protocolsOf(start);
  const content = html`<main>
<section><p class="note">${describeRuns(event, start)}.</p>
${start.notes.map((note) => html`<p class="note">Note: ${note}.</p>`)}</section>
${protocols.map((protocol) => metricsSection(event, start, protocol))}
${runsSection(runs, protocols)}
</main>`;
  return renderPage(start, date, content);
}
