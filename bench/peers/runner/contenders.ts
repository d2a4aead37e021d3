/** Who takes part, and how each is started. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Part of the epoch figure only. */
  readonly epochsOnly?: boolean;
  /** Part of the ranking figure. */
  readonly ranks?: boolean;
}

export const OURS = 'ours';

const node = (id: string, name: string): Entry => ({
  id,
  name,
  command: process.execPath,
  args: [path(`node/${id}.ts`)],
  ranks: id === OURS,
});
const torch = (id: string, name: string, program: string, ...args: string[]): Entry => ({
  id,
  name,
  get command() {
    return python(); // looked for only when it is started: that takes a second
  },
  args: ['-B', path(`python/${program}.py`), ...args],
  epochsOnly: program === 'lesson',
  ranks: args.includes('eager'),
});

/** All contenders, ours first: the others are compared with it. */
export function contenders(): Entry[] {
  return [
    node(OURS, 'neumf-webgpu'),
    torch('torch-cpu', 'PyTorch CPU', 'contender', 'cpu', 'eager'),
    torch('torch-cpu-compile', 'PyTorch CPU, torch.compile', 'contender', 'cpu', 'compile'),
    torch('torch-cuda', 'PyTorch CUDA', 'contender', 'cuda', 'eager'),
    torch('torch-cuda-compile', 'PyTorch CUDA, torch.compile', 'contender', 'cuda', 'compile'),
    torch('torch-cuda-graphs', 'PyTorch CUDA, CUDA graph', 'contender', 'cuda', 'graphs'),
    torch('lesson', 'PyTorch, the lesson’s data path', 'lesson'),
    node('tfjs', 'TensorFlow.js WebGPU'),
    node('jax', 'jax-js WebGPU'),
  ];
}

function path(file: string): string {
  return fileURLToPath(new URL(`../${file}`, import.meta.url));
}

let found: string | undefined;

/** The first Python that has PyTorch: $PYTHON alone where it is set, else the system's, else the first in PATH. */
function python(): string {
  if (process.env.PYTHON) return process.env.PYTHON;
  const candidates = ['/usr/bin/python3', 'python3'];
  found ??= candidates.find((command) => spawnSync(command, ['-c', 'import torch']).status === 0) ?? 'python3';
  return found;
}
