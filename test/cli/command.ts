/** Runs the command lines of bench/ as a user does: in a process of their own, on the adapter that npm brings along. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

/** Programs of bench/. */
type Script =
  | 'train'
  | 'neumf'
  | 'replay'
  | 'kernels'
  | 'step'
  | 'peers/run'
  | 'reliability/soak'
  | 'reliability/large-tables';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder for one test file, removed after its tests, and the processes that run in it. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), 'neumf-cli-'));

  constructor() {
    afterAll(() => rmSync(this.folder, { recursive: true }));
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), content);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /**
   * @param watch is called with each line of stdout as it comes
   * @param variables of the environment, beside the test's own
   */
  run(
    script: Script,
    args: readonly string[],
    watch?: (line: string, child: ChildProcess) => void,
    variables: Readonly<Record<string, string>> = {},
  ) {
    const file = fileURLToPath(new URL(`../../bench/${script}.ts`, import.meta.url));
    const env = { ...process.env, NEUMF_ADAPTER: 'swiftshader', ...variables };
    const child = spawn(process.execPath, [file, ...args], {
      cwd: this.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const before = stdout.split('\n').length - 1;
      stdout += text;
      for (const line of stdout.split('\n').slice(before, -1)) watch?.(line, child);
    });
    return new Promise<Ended>((resolve, reject) => {
      child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }));
    });
  }

  /** Fails unless the command ends with exit code 2 and one line on stderr, beside the note on a slow adapter. */
  async expectRefused(script: Script, args: readonly string[], message: string | RegExp): Promise<void> {
    const { code, stderr } = await this.run(script, args);
    const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('note: '));
    expect(lines).toEqual([typeof message === 'string' ? `error: ${message}` : expect.stringMatching(message)]);
    expect(code).toBe(2);
  }
}

/** Two groups of users, each with 8 of its group's 20 items: user,item,timestamp. */
export function smallData(users = 40): string {
  const rows = ['user,item,timestamp'];
  for (let user = 0; user < users; user++) {
    for (let n = 0; n < 8; n++) rows.push(`u${user},i${20 * (user % 2) + ((7 * user + 3 * n) % 20)},${n}`);
  }
  return `${rows.join('\n')}\n`;
}

/** Sizes that a software adapter trains in no time. */
export const SMALL = ['--gmf-dim', '4', '--mlp-dim', '4', '--mlp-layers', '8,4'];
