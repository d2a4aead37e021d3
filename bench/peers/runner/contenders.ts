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
}

export const OURS = 'ours';

const node = (id: string, name: string): Entry => ({
  id,
  name,
  command: process.execPath,
  args: [path(`node/${id}.ts`)],
});
const torch = (id: string, name: string, ...args: string[]): Entry => ({
  id,
  name,
  command: python(),
  args: [path('python/contender.py'), ...args],
});

/** All contenders, ours first: the others are compared with it. */
export function contenders(): Entry[] {
  return [
    node(OURS, 'neumf-webgpu'),
    torch('torch-cpu', 'PyTorch CPU', 'cpu', 'eager'),
    torch('torch-cpu-compile', 'PyTorch CPU, torch.compile', 'cpu', 'compile'),
    torch('torch-cuda', 'PyTorch CUDA', 'cuda', 'eager'),
    torch('torch-cuda-compile', 'PyTorch CUDA, torch.compile', 'cuda', 'compile'),
    torch('torch-cuda-graphs', 'PyTorch CUDA, CUDA graph', 'cuda', 'graphs'),
    { ...torch('lesson', 'PyTorch, the lesson’s data path'), args: [path('python/lesson.py')], epochsOnly: true },
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
