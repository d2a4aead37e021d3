import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type {
  EndEvent,
  EpochEvent,
  HistoryEvent,
  NoteEvent,
  RecoveredEvent,
  StartEvent,
} from '../../src/train/history.ts';
import { makeFolder, removePartial, replaceFile } from '../files.ts';
import { jsonLine } from '../json-line.ts';
import { type Run, renderReport } from '../report/html.ts';
import { lockFolder } from './folder-lock.ts';

const NAMES = ['checkpoint.safetensors', 'history.jsonl', 'report.html'] as const;
type Name = (typeof NAMES)[number];

/**
 * The files of one run: history.jsonl line by line, checkpoint.safetensors and report.html each replaced as a whole. Once
 * it has begun, a run does not end because a file cannot be written: that is said once, each file is tried again when it
 * is next due, and `trouble` tells what could not be written in the end.
 */
export class RunFolder {
  readonly #folder: string;
  readonly #say: (note: string) => void;
  /** Files whose last state could not be written, and why. */
  readonly #unwritten = new Map<Name, string>();
  #history = '';
  /** The checkpoint that this run has written; null before the first. */
  checkpoint: string | null = null;

  /** @param say is told, in a sentence, that files cannot be written, and when they are again */
  constructor(folder: string, say: (note: string) => void) {
    this.#folder = folder;
    this.#say = say;
  }

  get files(): string[] {
    return NAMES.map((name) => join(this.#folder, name));
  }

  /** Why the last state of a file could not be written; null when all are. */
  get trouble(): string | null {
    const [reason = null] = this.#unwritten.values();
    return reason;
  }

  /** Whether the last checkpoint could not be written, or somebody has taken it away. */
  get lacksCheckpoint(): boolean {
    return this.#unwritten.has('checkpoint.safetensors') || !existsSync(join(this.#folder, 'checkpoint.safetensors'));
  }

  /**
   * @param before epochs of the run that is resumed
   * Throws ConfigError when nothing can be written: nothing has been trained then.
   */
  start(start: StartEvent, before: readonly EpochEvent[]): void {
    this.#history = lines([start, ...before]);
    makeFolder(this.#folder);
    replaceFile(this.#folder, 'history.jsonl', this.#history);
  }

  /** Writes it into history.jsonl. */
  append(event: EpochEvent | RecoveredEvent | NoteEvent | EndEvent): void {
    this.#history += lines([event]);
    this.#write('history.jsonl', this.#history);
  }

  writeCheckpoint(bytes: Uint8Array): void {
    this.#write('checkpoint.safetensors', bytes);
    if (!this.#unwritten.has('checkpoint.safetensors')) this.checkpoint = join(this.#folder, 'checkpoint.safetensors');
  }

  /** Writes a batch that left the numbers, as CSV, and says where it all is, or why it is not. */
  writeBatch(csv: string): string {
    try {
      replaceFile(this.#folder, 'nan-batch.csv', csv);
      return `all in ${join(this.#folder, 'nan-batch.csv')}`;
    } catch (error) {
      return (error as Error).message;
    }
  }

  writeReport(run: Run): void {
    this.#write('report.html', renderReport(run, new Date()));
  }

  #write(name: Name, data: string | Uint8Array): void {
    const before = this.#unwritten.size;
    const gone = !existsSync(this.#folder);
    try {
      makeFolder(this.#folder);
      replaceFile(this.#folder, name, data);
      this.#unwritten.delete(name);
    } catch (error) {
      this.#unwritten.set(name, (error as Error).message);
    }
    const now = this.#unwritten.size;
    if (before === 0 && now > 0)
      this.#say(`${this.trouble}; training goes on, and files are tried again when they are due`);
    else if (before > 0 && now === 0) this.#say(`--out ${this.#folder}: all files are written again`);
    else if (gone && now === 0) this.#say(`--out ${this.#folder}: the folder was deleted, and is made anew`);
  }
}

const lines = (events: readonly HistoryEvent[]) => events.map((event) => `${jsonLine(event)}\n`).join('');

/**
 * Makes the folder of --out, for this process alone, and removes what a killed run left half written.
 * Throws ConfigError when another run uses it, or it cannot be made or written.
 */
export function openRunFolder(folder: string): void {
  makeFolder(folder);
  lockFolder(folder);
  for (const name of NAMES) removePartial(folder, name);
}
