import {
  bestEpoch,
  type EndEvent,
  type EpochEvent,
  hitRateAt10,
  judged,
  type StartEvent,
} from '../../src/train/history.ts';
import { type Chart, drawCharts } from './charts.ts';
import { describeChoice, formatCount, formatDuration, formatScore, MISSING } from './format.ts';
import { type Html, html, scriptLiteral, trusted } from './markup.ts';
import { asset, pairs, renderPage } from './page.ts';
import { protocolsOf } from './protocols.ts';
import { epochsTable, listsTable, metricsTables, strataTable } from './tables.ts';

/** A run as its history has it; `end` is null while it is under way, or when it broke off. */
export interface Run {
  readonly start: StartEvent;
  readonly epochs: readonly EpochEvent[];
  /** With pre-training, the epochs of the models that this one was fused from. */
  readonly branches?: readonly EpochEvent[];
  readonly end: EndEvent | null;
}

/** uPlot's files, their banner (an address) replaced by the licence, which asks to travel with every copy. */
const licensed = (source: string): string =>
  `/* uPlot\n${asset('uplot/LICENSE')}\n*/\n${source.replace(/^\/\*![^*]*\*\/\s*/, '')}`;

const countEvaluated = (epochs: readonly EpochEvent[]): number =>
  epochs.filter((epoch) => hitRateAt10(judged(epoch)) !== undefined).length;

const bestOf = ({ end, epochs }: Run): EndEvent['best'] => (end ? end.best : bestEpoch(epochs));

function progressOf({ start, epochs, end }: Run): string {
  const planned = typeof start.settings.epochs === 'number' ? ` of ${start.settings.epochs}` : '';
  const count = `${epochs.length}${planned} epoch${epochs.length === 1 && !planned ? '' : 's'}`;
  if (!end) return `${count} so far: this run has not ended`;
  return `${count} in ${formatDuration(end.seconds)}${end.stopped ? ', stopped by hand' : ''}`;
}

function resultSection(run: Run): Html {
  const best = bestOf(run);
  if (!best) return html`<p class="note">No result: no epoch was evaluated (${progressOf(run)}).</p>`;
  const untested = best.validation !== undefined && hitRateAt10(best) === undefined;
  const { testedUsers } = untested ? (run.start.validation ?? run.start) : run.start;
  const kind = untested ? 'validation ' : '';
  const results = protocolsOf(run.start).map(({ name, metricsIn }) => {
    const { 'hr@10': hr, 'ndcg@10': ndcg } = metricsIn(untested ? best.validation : best);
    return html`<p class="figures">
<span><b>${formatScore(hr)}</b> ${kind}HR@10</span>
<span><b>${formatScore(ndcg)}</b> ${kind}NDCG@10</span>
</p>
<p class="note">Protocol: ${name}; ${formatCount(testedUsers)} users ${untested ? 'validated, none tested yet' : 'tested'}.</p>`;
  });
  return html`${results}
<p class="note">Epoch ${best.epoch}, ${describeChoice(best, countEvaluated(run.epochs), run.epochs.length)}.
${progressOf(run)}.</p>`;
}

function notesSection({ start, end }: Run): Html {
  const alarms = (end?.alarms ?? []).map((alarm) => html`<p class="note alarm">Alarm: ${alarm}.</p>`);
  return html`${[...alarms, ...start.notes.map((note) => html`<p class="note">Note: ${note}.</p>`)]}`;
}

function chartsOf({ start, epochs }: Run): readonly Chart[] {
  if (epochs.length === 0) return [];
  const numbers = epochs.map((epoch) => epoch.epoch);
  const loss = epochs.map((epoch) => epoch.loss);
  const charts: Chart[] = [
    {
      id: 'loss',
      epochs: numbers,
      curves: [{ label: 'loss', color: '--ink', values: loss }],
      levels: [],
      fromZero: false,
    },
  ];
  if (countEvaluated(epochs) === 0) return charts;
  const metrics = [
    { key: 'hr@10', name: 'HR', color: '--hr' },
    { key: 'ndcg@10', name: 'NDCG', color: '--ndcg' },
  ] as const;
  for (const { key: protocol, metricsIn } of protocolsOf(start)) {
    charts.push({
      id: `metrics-${protocol}`,
      epochs: numbers,
      curves: metrics.map(({ key, name, color }) => ({
        label: `${name}@10`,
        color,
        values: epochs.map((epoch) => metricsIn(judged(epoch))[key] ?? null),
      })),
      levels: Object.entries((start.validation ?? start).baselines).flatMap(([baseline, evaluated]) =>
        metrics.flatMap(({ key, name, color }) => {
          const value = metricsIn(evaluated)[key];
          return value === undefined ? [] : [{ label: `${baseline} ${name}`, color, value }];
        }),
      ),
      fromZero: true,
    });
  }
  return charts;
}

function figures({ start, epochs }: Run): readonly Html[] {
  if (epochs.length === 0) return [];
  const loss = html`<figure><figcaption>Training loss <small>mean cross-entropy per sample, nats</small></figcaption>
<div id="loss"></div></figure>`;
  const rankings = countEvaluated(epochs) === 0 ? [] : protocolsOf(start);
  return [
    loss,
    ...rankings.map(
      ({
        key,
        name,
      }) => html`<figure><figcaption>Ranking of the ${start.validation ? 'validation' : 'test'} items <small>${name}; dashed: baselines</small></figcaption>
<div id="metrics-${key}"></div></figure>`,
    ),
  ];
}

/** uPlot formats for `navigator.language` as it loads; it is given the tables' language instead, in every browser. */
const scriptOf = (charts: readonly Chart[]): string => `((navigator) => {
${licensed(asset('uplot/dist/uPlot.iife.min.js'))}
(${drawCharts})(uPlot, ${scriptLiteral(charts)});
})({ language: 'en-US' });`;

const settingText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? MISSING);

/**
 * The report of a run: one HTML page that opens offline, draws its charts itself and fetches nothing.
 * @param date when the run was made; an argument, so that the same run renders to the same bytes.
 */
export function renderReport(run: Run, date: Date): string {
  const { start, end } = run;
  const charts = chartsOf(run);
  const content = html`<main>
<section>${resultSection(run)}${notesSection(run)}</section>
${figures(run)}
${epochsTable(run, bestOf(run))}
${metricsTables(run, bestOf(run))}
${strataTable(run)}
${listsTable(run)}
<section><h2>Settings</h2><div class="scroll"><table class="pairs">${pairs(Object.entries(start.settings).map(([name, value]) => [name, settingText(value)] as const))}</table></div></section>
<section><h2>Weights</h2><p class="hash">${end ? `SHA-256 ${end.weightsSha256}` : 'Not final: this run has not ended.'}</p></section>
</main>
${charts.length > 0 ? html`<script>${trusted(scriptOf(charts))}</script>` : html``}`;
  return renderPage(start, date, content, licensed(asset('uplot/dist/uPlot.min.css')));
}
