import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceFile } from '../../bench/files.ts';
import { openRunFolder, RunFolder } from '../../bench/train/run-folder.ts';
import { ConfigError } from '../../src/errors.ts';
import type { NoteEvent } from '../../src/train/history.ts';
import { end, epochs, start } from './run-fixture.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'neumf-folder-'));
});
afterEach(() => rmSync(place, { recursive: true }));

const path = (name: string) => join(place, name);
const text = (name: string) => readFileSync(path(name), 'utf8');

describe('a file is replaced', () => {
  it('as a whole, and nothing is left beside it', () => {
    replaceFile(place, 'file', 'old');
    replaceFile(place, 'file', new Uint8Array([110, 101, 119]));
    expect(text('file')).toBe('new');
    expect(readdirSync(place)).toEqual(['file']);
  });

  it('not at all on a full disk: the old one stays, and what was begun is removed', () => {
    replaceFile(place, 'file', 'old');
    symlinkSync('/dev/full', path('file.partial'));
    expect(() => replaceFile(place, 'file', new Uint8Array(1e6))).toThrow(
      new ConfigError(`--out ${place}: file cannot be written: ENOSPC: no space left on device, write`),
    );
    expect(text('file')).toBe('old');
    expect(readdirSync(place)).toEqual(['file']);
  });
});

describe('a run whose folder', () => {
  let notes: NoteEvent[];
  let folder: RunFolder;
  beforeEach(() => {
    notes = [];
    folder = new RunFolder(path('run'), (note) => {
      const event: NoteEvent = { event: 'note', note };
      notes.push(event);
      folder.append(event);
    });
    folder.start(start, []);
  });
  const said = () => notes.map(({ note }) => note);
  const history = () =>
    text('run/history.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('cannot be written goes on, says so once, tries again, and has lost nothing when it can be', () => {
    rmSync(path('run'), { recursive: true });
    writeFileSync(path('run'), 'in the way');
    folder.append(epochs[0]!);
    folder.writeCheckpoint(new Uint8Array([1]));
    folder.append(epochs[1]!);
    folder.writeCheckpoint(new Uint8Array([2]));
    folder.writeReport({ start, epochs, end: null });
    expect(said()).toEqual([
      expect.stringMatching(
        /^--out .*run: the folder cannot be made: EEXIST.*; training goes on, and files are tried again/,
      ),
    ]);
    expect(folder.trouble).toMatch(/^--out .*run: the folder cannot be made: EEXIST/);
    expect(folder.lacksCheckpoint).toBe(true);

    rmSync(path('run'));
    folder.writeCheckpoint(new Uint8Array([3]));
    folder.append(epochs[2]!);
    expect(said(), 'the report is still missing').toHaveLength(1);
    folder.writeReport({ start, epochs, end });
    expect(said().slice(1)).toEqual([`--out ${path('run')}: all files are written again`]);
    folder.append(end);
    expect(folder.trouble).toBeNull();
    expect(folder.lacksCheckpoint).toBe(false);
    expect([...readFileSync(path('run/checkpoint.safetensors'))]).toEqual([3]);
    expect(history()).toEqual([start, epochs[0], notes[0], epochs[1], epochs[2], notes[1], end]);
  });

  it('is deleted makes it anew and says so', () => {
    folder.writeCheckpoint(new Uint8Array([1]));
    rmSync(path('run'), { recursive: true });
    folder.append(epochs[0]!);
    expect(said()).toEqual([`--out ${path('run')}: the folder was deleted, and is made anew`]);
    expect(history()).toEqual([start, epochs[0], notes[0]]);
    expect([folder.trouble, folder.lacksCheckpoint]).toEqual([null, true]);
  });

  it('has no room for one of the files names that one, and writes the others', () => {
    mkdirSync(path('run/checkpoint.safetensors.partial'));
    folder.writeCheckpoint(new Uint8Array([1]));
    folder.append(epochs[0]!);
    expect(folder.trouble).toMatch(/checkpoint\.safetensors cannot be written: EISDIR/);
    expect(history()).toEqual([start, notes[0], epochs[0]]);
  });
});

describe('a folder is opened', () => {
  let other: ChildProcess;
  afterEach(() => other?.kill('SIGKILL'));

  /** A process that trains into the folder, as far as anybody can tell. */
  async function occupy(): Promise<void> {
    const module = new URL('../../bench/train/run-folder.ts', import.meta.url);
    const code = `(await import('${module}')).openRunFolder('run'); console.log('open'); setInterval(() => {}, 1000);`;
    other = spawn(process.execPath, ['--input-type=module', '-e', code], {
      cwd: place,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(other.stdout!, 'data');
  }

  it('by one run at a time, and after a kill by the next', async () => {
    await occupy();
    expect(() => openRunFolder(path('run'))).toThrow(
      new ConfigError(
        `--out ${path('run')}: process ${other.pid} is training into it; another folder, or waiting for its end, would be right`,
      ),
    );
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(existsSync(path('run/run.lock')), 'a killed process leaves its lock').toBe(true);
    openRunFolder(path('run'));
  });

  it('though a process that runs has the number of one that was killed', () => {
    mkdirSync(path('run'));
    writeFileSync(path('run/run.lock'), `${process.ppid} 1\n`);
    openRunFolder(path('run'));
    expect(text('run/run.lock')).toMatch(new RegExp(`^${process.pid} `));
  });

  it('without what a killed run left half written', () => {
    mkdirSync(path('run'));
    writeFileSync(path('run/checkpoint.safetensors'), 'whole');
    writeFileSync(path('run/checkpoint.safetensors.partial'), 'ha');
    openRunFolder(path('run'));
    expect(readdirSync(path('run'))).toEqual(['checkpoint.safetensors', 'run.lock']);
  });
});
