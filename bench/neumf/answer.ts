/** What the commands answer with: lists of rows, as CSV, JSON or a table for people, to a file or to stdout. */
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { ConfigError } from '../../src/errors.ts';
import { printable } from '../../src/printable.ts';
import { csvLines } from '../csv.ts';
import { jsonLine } from '../json-line.ts';

type Cell = string | number;

/** Rows that belong together, such as what is recommended to one user. */
export interface List {
  /** What they are about: columns of CSV, members of JSON's objects, the line above a table. */
  readonly about: Readonly<Record<string, Cell>>;
  readonly rows: readonly Readonly<Record<string, Cell>>[];
}

export interface AnswerOptions {
  readonly format: 'csv' | 'json' | 'table';
  readonly out?: string;
}

export function addAnswerOptions(command: Command): void {
  command
    .addOption(
      new Option(
        '--format <name>',
        'how to write the answer; CSV has an apostrophe before what a spreadsheet would take for a formula (= + - @), but for numbers',
      )
        .choices(['table', 'csv', 'json'])
        .default('table'),
    )
    .option('--out <file>', 'write it there instead of to stdout; the file is replaced when all of it is there');
}

/** Writes lists as they come. */
export class Answer {
  readonly #format: AnswerOptions['format'];
  readonly #columns: readonly string[];
  readonly #member: string;
  readonly #path: string | undefined;
  readonly #file: number;
  #lists = 0;

  /**
   * @param columns of CSV and of tables, in order; a list's `about` and rows have them
   * @param member what JSON calls a list's rows
   * Throws ConfigError when the file cannot be written.
   */
  constructor({ format, out }: AnswerOptions, columns: readonly string[], member: string) {
    this.#format = format;
    this.#columns = columns;
    this.#member = member;
    this.#path = out;
    this.#file = out === undefined ? 1 : this.#try(() => openSync(this.#partial, 'w'));
  }

  write(list: List): void {
    const text = this.#format === 'csv' ? this.#csv(list) : this.#format === 'json' ? this.#json(list) : table(list);
    this.#append(this.#lists === 0 || this.#format !== 'table' ? text : `\n${text}`);
    this.#lists++;
  }

  /** Ends the answer; a file stands in its place from then on. */
  end(): void {
    if (this.#format === 'json') this.#append(this.#lists === 0 ? '[]\n' : '\n]\n');
    if (this.#format === 'csv' && this.#lists === 0) this.#append(this.#csv({ about: {}, rows: [] }));
    const path = this.#path;
    if (path === undefined) return;
    this.#try(() => {
      closeSync(this.#file);
      renameSync(this.#partial, path);
    });
  }

  #csv({ about, rows }: List): string {
    const lines = rows.map((row) => this.#columns.map((column) => row[column] ?? about[column] ?? ''));
    const text = csvLines(this.#lists === 0 ? [this.#columns, ...lines] : lines);
    // Files and pipes get what the ids are; a terminal would obey them.
    return this.#isTerminal ? text.split('\n').map(printable).join('\n') : text;
  }

  #json({ about, rows }: List): string {
    return `${this.#lists === 0 ? '[\n' : ',\n'}${jsonLine({ ...about, [this.#member]: rows })}`;
  }

  get #isTerminal(): boolean {
    return this.#path === undefined && process.stdout.isTTY === true;
  }

  #append(text: string): void {
    const bytes = Buffer.from(text);
    this.#try(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    });
  }

  get #partial(): string {
    return `${this.#path}.partial`;
  }

  #try<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      throw new ConfigError(
        `${this.#path ? `--out ${this.#path}` : 'stdout'}: it cannot be written: ${(error as Error).message}`,
      );
    }
  }
}

/** A heading, then the rows' cells under each other: words to the left, numbers to the right. */
function table({ about, rows }: List): string {
  const heading = Object.entries(about).map(([name, value]) => `${name} ${shown(value)}`);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [columns, ...rows.map((row) => columns.map((column) => shown(row[column])))];
  const widths = columns.map((_, c) => Math.max(...cells.map((line) => line[c]!.length)));
  const isNumber = columns.map((column) => rows.every((row) => typeof row[column] === 'number'));
  const lines = cells.map((line) =>
    line
      .map((cell, c) => (isNumber[c] ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
      .join('  ')
      .trimEnd(),
  );
  const body = rows.length === 0 ? ['  nothing'] : lines.map((line) => `  ${line}`);
  return `${[...(heading.length ? [heading.join(', ')] : []), ...body].join('\n')}\n`;
}

function shown(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  return typeof cell === 'number' && !Number.isInteger(cell) ? cell.toFixed(4) : printable(String(cell));
}
