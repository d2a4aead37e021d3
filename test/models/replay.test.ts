import { describe, expect, it } from 'vitest';
import { replay } from '../../bench/replay/replay.ts';
import { parseTrace } from '../../bench/replay/trace.ts';
import { useGpu } from '../gpu-fixture.ts';
import { cpuTrace, type TraceOptions } from './cpu-trace.ts';

const on = useGpu();

const TRACES = import.meta.glob<string>('../golden/*.json', { query: '?raw', import: 'default', eager: true });
const golden = (name: string) => TRACES[`../golden/${name}.json`]!;

const SIZES = { model: 'neumf', users: 19, items: 13, gmfDim: 8, mlpDim: 8, mlpLayers: [16, 8] } as const;
const PLAIN = { ...SIZES, batchNorm: false, clipNorm: null, batches: [32, 32, 32], seed: 1 };

/** The quantities that are further from the trace than permitted, by name, and how many there are in all. */
async function compared(text: string, tolerance = 1e-4, fused = false) {
  const differences = await replay(on.gpu, parseTrace(text, 'trace'), 'trace', fused);
  const beyond = differences.filter(({ relative }) => !(relative <= tolerance));
  return { count: differences.length, beyond: beyond.map(({ quantity, relative }) => `${quantity}: ${relative}`) };
}

/** Logits, loss, norm and evaluation; the gradients and the final values of so many tensors. */
const quantities = (trained: number, averages = 0) => 4 + 2 * trained + averages;

describe('PyTorch’s traces', () => {
  it.each([
    ['gmf', quantities(4)],
    ['neumf-paper', quantities(10)],
    ['neumf-lesson', quantities(18, 6)],
  ])('%s: every quantity is within 1e-4', async (name, count) => {
    expect(await compared(golden(name))).toEqual({ count, beyond: [] });
  });

  it.each([
    ['gmf', quantities(4) - 2],
    ['neumf-paper', quantities(10) - 4],
    ['neumf-lesson', quantities(18, 6) - 4],
  ])('%s: by the fused step too, which keeps no gradients of tables', async (name, count) => {
    expect(await compared(golden(name), 1e-4, true)).toEqual({ count, beyond: [] });
  });

  it('gradients noted after clipping are compared with what the norm was before it', async () => {
    const text = cpuTrace({ ...PLAIN, model: 'gmf', clipNorm: 0.05 });
    const trace = JSON.parse(text) as { steps: { gradNorm: number; gradients: Record<string, { data: number[] }> }[] };
    for (const { gradNorm, gradients } of trace.steps) {
      for (const gradient of Object.values(gradients)) {
        gradient.data = gradient.data.map((value) => value * Math.min(1, 0.05 / (gradNorm + 1e-6)));
      }
    }
    const clipped = JSON.stringify(trace);
    expect(clipped).not.toBe(text);
    expect(await compared(clipped)).toEqual({ count: quantities(4), beyond: [] });
  });

  it('a wrong final weight, and nothing else, is reported', async () => {
    const trace = JSON.parse(golden('gmf'));
    trace.final['gmf_item_emb.weight'].data[17] += 0.002;
    const { beyond } = await compared(JSON.stringify(trace));
    expect(beyond).toEqual([expect.stringMatching(/^final gmf_item_emb\.weight: 0\.000[4-8]/)]);
  });
});

describe('traces of the float64 trainer', () => {
  it.each<[string, TraceOptions, number]>([
    ['mlp without hidden layers', { ...PLAIN, model: 'mlp', mlpLayers: [] }, quantities(4)],
    [
      'mlp with BatchNorm, clipping and weight decay',
      { ...PLAIN, model: 'mlp', batchNorm: true, clipNorm: 0.05, adam: { weightDecay: 0.1 } },
      quantities(12, 4),
    ],
    ['gmf with clipping', { ...PLAIN, model: 'gmf', clipNorm: 0.05 }, quantities(4)],
    ['neumf of odd sizes', { ...PLAIN, users: 3, items: 2, gmfDim: 5, mlpDim: 7, mlpLayers: [9, 3] }, quantities(10)],
    [
      'neumf of odd sizes with BatchNorm, and clipping that a norm does not reach',
      { ...PLAIN, gmfDim: 5, mlpDim: 7, mlpLayers: [9, 3], batchNorm: true, clipNorm: 100 },
      quantities(14, 4),
    ],
    [
      'one dimension, one unit, one user and one item',
      { ...PLAIN, users: 1, items: 1, gmfDim: 1, mlpDim: 1, mlpLayers: [1] },
      quantities(8),
    ],
    [
      'batches that differ from step to step',
      { ...PLAIN, batches: [1, 65, 2, 33, 8], batchNorm: false },
      quantities(10),
    ],
    [
      'batches that differ, with BatchNorm',
      // Behind a BatchNorm of two rows almost nothing is left of a gradient; Adam must not blow up its rounding.
      { ...PLAIN, batches: [65, 2, 3, 33, 8], batchNorm: true, adam: { eps: 1e-4 } },
      quantities(14, 4),
    ],
    ['other betas', { ...PLAIN, adam: { betas: [0.5, 0.9], eps: 1e-4 } }, quantities(10)],
    ['a large learning rate', { ...PLAIN, adam: { lr: 0.3 } }, quantities(10)],
    ['many steps', { ...PLAIN, batches: new Array(40).fill(16) }, quantities(10)],
    ['a layer wider than its input', { ...PLAIN, mlpDim: 2, mlpLayers: [33, 65, 4] }, quantities(12)],
  ])('%s: every quantity is within 1e-4', async (_, options, count) => {
    expect(await compared(cpuTrace(options))).toEqual({ count, beyond: [] });
  });
});
