/** The report's tables of figures. */
import type { Evaluated } from '../../src/evaluate/evaluation.ts';
import { type EndEvent, type EpochEvent, hitRateAt10, judged } from '../../src/train/history.ts';
import { describeEpoch, formatCount, formatRate, formatScore, formatSeconds, MISSING } from './format.ts';
import type { Run } from './html.ts';
import { type Html, html, trusted } from './markup.ts';
import { cells } from './page.ts';
import { cutoffsIn, metricNames, type Protocol, protocolsOf } from './protocols.ts';

const tenCells = (evaluated: Evaluated, protocols: readonly Protocol[]): string[] =>
  protocols.flatMap(({ metricsIn }) => {
    const { 'hr@10': hr, 'ndcg@10': ndcg } = metricsIn(evaluated);
    return [formatScore(hr), formatScore(ndcg)];
  });

/** The names of the columns; where there are two protocols, theirs above them. */
function tenHeadings(before: readonly string[], protocols: readonly Protocol[], after: readonly string[]): Html {
  const names = [...before, ...protocols.flatMap(() => ['HR@10', 'NDCG@10']), ...after];
  const row = html`<tr>${names.map((name) => html`<th>${name}</th>`)}</tr>`;
  if (protocols.length < 2) return row;
  const groups = protocols.map(({ key }) => html`<th colspan="2" scope="colgroup">${key}</th>`);
  return html`<tr>${before.map(() => html`<td></td>`)}${groups}</tr>${row}`;
}

/** Baselines and epochs in one table, so that their figures stand in the same columns. */
export function epochsTable(run: Run, best: EndEvent['best']): Html {
  const protocols = protocolsOf(run.start);
  const { validation } = run.start;
  const baselines = Object.entries((validation ?? run.start).baselines).map(
    ([name, evaluated]) =>
      html`<tr><th scope="row">${name}</th>${cells([
        MISSING,
        ...tenCells(evaluated, protocols),
        MISSING,
        MISSING,
        MISSING,
      ])}</tr>`,
  );
  const row = (epoch: EpochEvent, isBest: boolean) =>
    html`<tr${trusted(isBest ? ' class="best"' : '')}><th scope="row">${describeEpoch(epoch)}</th>${cells([
      formatScore(epoch.loss),
      ...tenCells(judged(epoch), protocols),
      formatSeconds(epoch.seconds),
      formatSeconds(epoch.evalSeconds),
      formatRate(epoch.samplesPerSecond),
    ])}</tr>`;
  const branches = (run.branches ?? []).map((epoch) => row(epoch, false));
  const epochs = run.epochs.map((epoch) => row(epoch, epoch.epoch === best?.epoch));
  return html`<section><h2>Baselines and epochs <small>on the ${validation ? 'validation' : 'test'} items</small></h2>
<div class="scroll"><table class="numbers">
<thead>${tenHeadings(['Epoch', 'Loss'], protocols, ['Seconds', 'Eval s', 'Samples/s'])}</thead>
<tbody>${baselines}</tbody>
${branches.length > 0 ? html`<tbody>${branches}</tbody>` : html``}
<tbody>${epochs}</tbody>
</table></div>
${run.epochs.length === 0 ? html`<p class="note">No epoch was finished.</p>` : html``}</section>`;
}

/** Every metric at every cut-off, of the best epoch beside the baselines. */
export function metricsTables({ start }: Run, best: EndEvent['best']): Html {
  if (!best || hitRateAt10(best) === undefined) return html``;
  const tables = protocolsOf(start).map(({ name, metricsIn }) => {
    const columns = metricNames(metricsIn(best));
    const rowOf = (title: string, evaluated: Evaluated) => {
      const metrics = metricsIn(evaluated);
      return html`<th scope="row">${title}</th>${cells(columns.map((column) => formatScore(metrics[column])))}`;
    };
    const { length } = cutoffsIn(metricsIn(best));
    const groups = ['HR', 'NDCG', 'MRR'].map((metric) => html`<th colspan="${length}" scope="colgroup">${metric}</th>`);
    const names = columns.map((column) => (column === 'auc' ? 'AUC' : column.slice(column.indexOf('@'))));
    const baselines = Object.entries(start.baselines).map(
      ([title, evaluated]) => html`<tr>${rowOf(title, evaluated)}</tr>`,
    );
    return html`<div class="scroll"><table class="numbers">
<caption>${name}</caption>
<thead><tr><td></td>${groups}</tr><tr><td></td>${names.map((column) => html`<th>${column}</th>`)}</tr></thead>
<tbody>${baselines}</tbody>
<tbody><tr class="best">${rowOf(`epoch ${best.epoch}`, best)}</tr></tbody>
</table></div>`;
  });
  return html`<section><h2>All metrics <small>on the test items</small></h2>
${tables}
<p class="note">One item is held out a user, so Recall is HR, MAP is MRR, and Precision is HR / k.</p></section>`;
}

/** Where the final model's hits come from. */
export function strataTable({ start, end }: Run): Html {
  if (!end?.final) return html``;
  const protocols = protocolsOf(start);
  const rows = end.final.strata.map(
    (one) =>
      html`<tr><th scope="row">${one.stratum}</th>${cells([
        formatCount(one.items),
        formatCount(one.testedUsers),
        ...tenCells(one, protocols),
      ])}</tr>`,
  );
  return html`<section><h2>By popularity of the held-out item <small>model of epoch ${end.final.epoch}</small></h2>
<div class="scroll"><table class="numbers">
<thead>${tenHeadings(['Stratum', 'Items', 'Tested users'], protocols, [])}</thead>
<tbody>${rows}</tbody>
</table></div>
<p class="note">The head is the most popular items; each stratum has about a third of the training interactions.</p></section>`;
}

/** What the final model's lists do to the catalogue. */
export function listsTable({ end }: Run): Html {
  const lists = end?.final?.lists ?? {};
  const cutoffs = Object.keys(lists).flatMap((name) => (name.startsWith('gini@') ? [Number(name.slice(5))] : []));
  if (cutoffs.length === 0) return html``;
  const rows = cutoffs
    .sort((a, b) => a - b)
    .map(
      (k) =>
        html`<tr><th scope="row">${k}</th>${cells([
          formatScore(lists[`coverage@${k}`]),
          formatScore(lists[`gini@${k}`]),
          lists[`popularity@${k}`].toFixed(1),
        ])}</tr>`,
    );
  return html`<section><h2>Lists of best unseen items <small>model of epoch ${end!.final!.epoch}</small></h2>
<div class="scroll"><table class="numbers">
<thead><tr><th>Items a user</th><th>Coverage</th><th>Gini</th><th>Mean popularity</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>
<p class="note">Coverage: the share of the catalogue that anyone gets. Gini: 0 when all items stand in equally many lists,
nearly 1 when few have all places. Mean popularity: training interactions of a recommended item.</p></section>`;
}
