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

/** What stands above a page: what it is about, on what, and what should be known of it. */
export interface Heading {
  readonly what: string;
  readonly on: string;
  readonly facts: readonly (readonly [string, string])[];
}

/**
 * A page that opens offline and fetches nothing.
 * @param styles beside the reports' own
 */
export function renderDocument({ what, on, facts }: Heading, content: Html, styles = ''): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${what} on ${on}</title>
<style>${trusted(styles)}
${trusted(asset('./report.css'))}</style>
</head>
<body>
<header><h1>${what} <span>on</span> ${on}</h1>
<table class="pairs">${pairs(facts)}</table></header>
${content}
</body>
</html>
`.html;
}

/** The day and minute of a date. */
export const dayOf = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/**
 * A page about runs on one data set with one model.
 * @param date when the runs were made
 * @param styles beside the reports' own
 */
export function renderPage(start: StartEvent, date: Date, content: Html, styles = ''): string {
  const size = `${formatCount(start.users)} users × ${formatCount(start.items)} items`;
  const facts = [
    ['Data', `${size}, ${formatCount(start.interactions)} interactions`],
    ['Model', `${describeModel(start)}, ${formatCount(start.parameters)} parameters`],
    ['Adapter', describeAdapter(start)],
    ['Date', dayOf(date)],
  ] as const;
  return renderDocument({ what: describeModel(start), on: start.data, facts }, content, styles);
}
