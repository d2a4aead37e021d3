import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { StartEvent } from '../../src/train/history.ts';
import { describeAdapter, describeModel, formatCount } from './format.ts';
import { type Html, html, trusted } from './markup.ts';

const require = createRequire(import.meta.url);

/** The text of a file beside this one, or in a package. */
export const asset = (name: string): string => readFileSync(require.resolve(name), 'utf8');

export const cells = (values: readonly string[]): readonly Html[] => values.map((value) => html`<td>${value}</td>`);

export const pairs = (entries: readonly (readonly [string, string])[]): readonly Html[] =>
  entries.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`);

/**
 * A page about runs on one data set with one model: it opens offline and fetches nothing.
 * @param date when the runs were made
 * @param styles beside the reports' own
 */
export function renderPage(start: StartEvent, date: Date, content: Html, styles = ''): string {
  const day = `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const facts = pairs([
    [
      'Data',
      `${formatCount(start.users)} users × ${formatCount(start.items)} items, ${formatCount(start.interactions)} interactions`,
    ],
    ['Model', `${describeModel(start)}, ${formatCount(start.parameters)} parameters`],
    ['Adapter', describeAdapter(start)],
    ['Date', day],
  ]);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${describeModel(start)} on ${start.data}</title>
<style>${trusted(styles)}
${trusted(asset('./report.css'))}</style>
</head>
<body>
<header><h1>${describeModel(start)} <span>on</span> ${start.data}</h1>
<table class="pairs">${facts}</table></header>
${content}
</body>
</html>
`.html;
}
