import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../src/errors.ts';

const NAME = 'run.lock';

/**
 * Keeps a folder for this process until it ends: two runs would replace each other's files. What a killed process left is
 * taken over. The lock is a file with the process's number and when it began, as numbers come again.
 * Throws ConfigError while another process has it, or when the folder cannot be written.
 */
export function lockFolder(folder: string): void {
  const path = join(folder, NAME);
  const owner = readOwner(path);
  if (owner && owner.pid !== process.pid && isRunning(owner)) {
    throw new ConfigError(
      `--out ${folder}: process ${owner.pid} is training into it; another folder, or waiting for its end, would be right`,
    );
  }
  try {
    writeFileSync(path, `${process.pid} ${begunAt(process.pid)}\n`);
  } catch (error) {
    throw new ConfigError(`--out ${folder}: ${NAME} cannot be written: ${(error as Error).message}`);
  }
  process.on('exit', () => {
    if (readOwner(path)?.pid === process.pid) rmSync(path, { force: true });
  });
}

interface Owner {
  readonly pid: number;
  readonly begun: string;
}

function readOwner(path: string): Owner | null {
  try {
    const [pid, begun] = readFileSync(path, 'utf8').trim().split(' ');
    return Number.isSafeInteger(Number(pid)) && begun ? { pid: Number(pid), begun } : null;
  } catch {
    return null; // nobody's, or not to be read: writing it says more
  }
}

function isRunning({ pid, begun }: Owner): boolean {
  try {
    process.kill(pid, 0); // asks, and sends nothing
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false; // EPERM: another user's
  }
  return begunAt(pid) === begun;
}

/** In clock ticks since the machine's start, as Linux tells it (proc(5), stat, field 22); "unknown" elsewhere. */
function begunAt(pid: number): string {
  if (process.platform !== 'linux') return 'unknown';
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? 'ended' : fields[18]!; // a zombie has ended, though nobody has asked how
  } catch {
    return 'ended';
  }
}
