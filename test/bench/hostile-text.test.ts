/** What a stranger's file calls its users and items stays text wherever it is written. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { csvLines } from '../../bench/csv.ts';
import { jsonLine } from '../../bench/json-line.ts';
import { Answer } from '../../bench/neumf/answer.ts';
import { metadataTsv } from '../../bench/neumf/tsv.ts';
import { createConsole } from '../../bench/report/console.ts';
import { StringIds } from '../../src/data/id-map.ts';
import { printable } from '../../src/printable.ts';
import { folder } from '../data/sources.ts';
import { start } from './run-fixture.ts';

const ESCAPE = '\x1b]0;title\x07\x9b2J\x7f\u202e';

describe('in CSV', () => {
  it.each(['=1+1', '+cmd', '-cmd', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '-', '+', '-1-1', '-xe5'])(
    '%j has an apostrophe before it, since a spreadsheet would take it for a formula',
    (text) => {
      expect(Papa.parse<string[]>(csvLines([[text, 'next']]), { newline: '\n' }).data[0]).toEqual([`'${text}`, 'next']);
    },
  );

  it.each(['-1', '+1', '-0.5', '-.5e-3', '1=1', 'a-b', "'=1", '"', 'a,b', 'two\nlines', '', 'ü😀'])(
    '%j comes back as it is',
    (text) => {
      expect(Papa.parse<string[]>(csvLines([[text, 'next']]), { newline: '\n' }).data[0]).toEqual([text, 'next']);
    },
  );

  it('numbers stand as they are', () => {
    expect(csvLines([['-1', -1, 0.5]])).toBe('-1,-1,0.5\n');
  });
});

describe('on a terminal', () => {
  it('control characters are shown, in tables', () => {
    const path = join(folder({}), 'answer.txt');
    const answer = new Answer({ format: 'table', out: path }, ['item', 'score'], 'recommendations');
    answer.write({ about: { user: `u${ESCAPE}` }, rows: [{ item: `i${ESCAPE}\n`, score: 1 }] });
    answer.end();
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('user u\\x1b]0;title\\x07\\x9b2J\\x7f\\u202e\n');
    expect(text.replaceAll('\n', '')).toBe(printable(text.replaceAll('\n', '')));
  });

  it('and of a run’s data and notes', () => {
    const stream = new PassThrough();
    const display = createConsole({ stream, epochs: 1 });
    display.start({ ...start, data: `data${ESCAPE}`, notes: [`weights of ${ESCAPE}\r`] });
    display.close();
    const text = String(stream.read());
    expect(text).toContain('data      data\\x1b]0;title');
    expect(text.replaceAll('\n', '')).toBe(printable(text.replaceAll('\n', '')));
  });

  it('JSON has none, and says the same', () => {
    const line = jsonLine({ id: `${ESCAPE}\u2028` });
    expect(line).toMatch(/^[\x20-\x7e\u202e]+$/);
    expect(JSON.parse(line)).toEqual({ id: `${ESCAPE}\u2028` });
  });
});

it('in a table for the Embedding Projector an id stays in its cell', () => {
  const ids = new StringIds(['a\tb', 'c\r\nd']);
  expect(metadataTsv(ids, new Map([['a\tb', 'x\ny']]))).toBe('id\tname\na b\tx y\nc d\t\n');
});

it('nothing of the page takes text for markup', () => {
  const bench = join(import.meta.dirname, '../../bench');
  const files = ['browser', 'map'].flatMap((name) =>
    readdirSync(join(bench, name)).map((file) => join(bench, name, file)),
  );
  const scripts = files.filter((file) => file.endsWith('.ts'));
  expect(scripts.length).toBeGreaterThan(20);
  for (const file of scripts) {
    const markup =
      /innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|srcdoc|\beval\(|new Function/;
    expect(readFileSync(file, 'utf8'), file).not.toMatch(markup);
  }
});
