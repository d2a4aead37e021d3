import { join } from 'node:path';
import type { EndEvent, EpochEvent, HistoryEvent, RecoveredEvent, StartEvent } from '../../src/train/history.ts';
import { makeFolder, replaceFile } from '../files.ts';
import { jsonLine } from '../json-line.ts';
import { type Run, renderReport } from '../report/html.ts';

/** The files of one run: history.jsonl line by line, checkpoint.safetensors and report.html each replaced as a whole. */
export class RunFolder {
  readonly #folder: string;
  #history = '';
  /** The checkpoint that this run has written; null before the first. */
  checkpoint: string | null = null;

  /** Throws ConfigError when the folder cannot be made. */
  constructor(folder: string) {
    this.#folder = folder;
    makeFolder(folder);
  }

  get files(): string[] {
    return ['checkpoint.safetensors', 'history.jsonl', 'report.html'].map((name) => join(this.#folder, name));
  }

  /** @param before epochs of the run that is resumed */
  start(start: StartEvent, before: readonly EpochEvent[]): void {
    this.#history = '';
    for (const event of [start, ...before]) this.#append(event);
  }

  epoch(event: EpochEvent): void {
    this.#append(event);
  }

  recovered(event: RecoveredEvent): void {
    this.#append(event);
  }

  end(event: EndEvent): void {
    this.#append(event);
  }

  writeCheckpoint(bytes: Uint8Array): void {
    replaceFile(this.#folder, 'checkpoint.safetensors', bytes);
    this.checkpoint = join(this.#folder, 'checkpoint.safetensors');
  }

  /** Writes a batch that left the numbers, as CSV, and gives the file's path. */
  writeBatch(csv: string): string {
    replaceFile(this.#folder, 'nan-batch.csv', csv);
    return join(this.#folder, 'nan-batch.csv');
  }

  writeReport(run: Run): void {
    replaceFile(this.#folder, 'report.html', renderReport(run, new Date()));
  }

  #append(event: HistoryEvent): void {
    this.#history += `${jsonLine(event)}\n`;
    replaceFile(this.#folder, 'history.jsonl', this.#history);
  }
}
