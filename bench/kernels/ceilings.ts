import type { Gpu } from '../../src/gpu/device.ts';
import { defineKernel } from '../../src/gpu/kernel.ts';
import { groupsFor, THREADS } from '../../src/kernels/launch.ts';
import { type Case, times as product, single } from './case.ts';
import type { Run } from './measure.ts';
import type { Stopwatch } from './stopwatch.ts';

const MIB = 2 ** 20;

/** What kernels that only move numbers are measured by: the adapter's own copy of a buffer larger than its caches. */
export interface CopyCeiling {
  /** Read and written by one copy. */
  readonly bytes: number;
  readonly run: Run;
  destroy(): void;
}

export function copyCeiling(gpu: Gpu, stopwatch: Stopwatch): CopyCeiling {
  const size = Math.min((gpu.adapterKind === 'software' ? 64 : 256) * MIB, gpu.limits.maxBufferSize);
  const [from, to] = [gpu.createBuffer('copy source', size), gpu.createBuffer('copy target', size)];
  // Memory that was never written may be one page of zeros over and over.
  const ones = new Uint8Array(MIB).fill(1);
  for (let offset = 0; offset < size; offset += MIB) gpu.write(from, offset, ones);
  return {
    bytes: 2 * size,
    run: {
      prepare() {},
      time: (times) =>
        stopwatch.commands((encoder) => {
          for (let i = 0; i < times; i++) encoder.copyBufferToBuffer(from, 0, to, 0, size);
        }),
    },
    destroy() {
      from.destroy();
      to.destroy();
    },
  };
}

/** Chains of a thread, none of which waits for another: enough to hide a multiply-add's latency, few enough for registers. */
const CHAINS = 12;
/** Multiply-adds of a chain in one turn of the loop, so that the loop itself costs little. */
const UNROLLED = 8;
const TURNS = 128;
const LENGTH = UNROLLED * TURNS;

const each = (body: (chain: number) => string, between = '\n') =>
  Array.from({ length: CHAINS }, (_, chain) => body(chain)).join(between);

/** y[thread] = Σ_chain (chain + thread mod 64, after `turns` · UNROLLED times a = a · factor + term); y f32[threads] */
const multiplyAdd = defineKernel({
  name: 'multiply_add',
  code: `
struct Params { turns: u32, factor: f32, term: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(${THREADS}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = params.factor;
  let term = params.term;
  ${each((chain) => `var a${chain} = f32(id.x % 64u + ${chain}u);`)}
  for (var turn = 0u; turn < params.turns; turn++) {
    ${Array(UNROLLED)
      .fill(each((chain) => `a${chain} = fma(a${chain}, factor, term);`))
      .join('\n')}
  }
  if (id.x < arrayLength(&y)) { y[id.x] = ${each((chain) => `a${chain}`, ' + ')}; }
}`,
  params: { turns: 'u32', factor: 'f32', term: 'f32' },
  bindings: { y: 'write' },
});

/**
 * What kernels that compute are measured by: multiply-adds of f32 in registers alone. With 1 as factor and as term, which
 * the compiler cannot know, every result is an integer that says how many were done.
 */
export function multiplyAddCase({ adapterKind }: Gpu): Case {
  const threads = adapterKind === 'software' ? 2 ** 12 : 2 ** 20;
  const work = { bytes: 4 * threads, flops: 2 * threads * CHAINS * LENGTH };
  return single(multiplyAdd.name, `${product(threads, CHAINS)} chains of ${product(LENGTH)}`, work, (trial) => {
    const starts = (CHAINS * (CHAINS - 1)) / 2;
    const expected = Float32Array.from({ length: threads }, (_, i) => CHAINS * ((i % 64) + LENGTH) + starts);
    const params = { turns: TURNS, factor: 1, term: 1 };
    trial.plan.dispatch(multiplyAdd, { y: trial.output('y', expected) }, params, groupsFor(threads));
  });
}
