/** The kernels for subgroups of eight lanes, and devices without: Firefox's, and every other whose lanes are not eight. */
import { expect, it, vi } from 'vitest';
import { requestAdapter } from '#platform';
import { recorded } from '../../bench/step/recorded.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { LANES, runsOnSubgroups } from '../../src/kernels/launch.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { SHADER_TEXTS } from '../shader-texts.ts';
import { GROUPS, LESSON_LIKE, trained } from '../train/fixture.ts';

const on = useGpu();

/** The names of the kernels of a model with layers of whole tiles, in training and for both ways of ranking; none is run. */
async function kernelsOf(gpu: Gpu): Promise<Set<string>> {
  const names = new Set<string>();
  const slot = vi.spyOn(gpu.pipelines, 'slot').mockImplementation((kernel) => {
    names.add(kernel.name);
    return { label: kernel.name, ready: null, compile: () => expect.unreachable(), compileAsync: async () => {} };
  });
  const sizes = { gmfDim: 8, mlpDim: 16, mlpLayers: [32, 16, 8] };
  await Trainer.create(gpu, GROUPS, { ...LESSON_LIKE, ...sizes, eval: 'both' });
  slot.mockRestore();
  return names;
}

const forSubgroups = (names: Iterable<string>) => [...names].filter((name) => name.endsWith('_subgroup'));

it('the shaders that need subgroups are those that are named so', () => {
  const needing = [...SHADER_TEXTS].filter(([, text]) => text.includes('enable subgroups;')).map(([name]) => name);
  expect(needing).toEqual(forSubgroups(SHADER_TEXTS.keys()));
  expect(needing.length).toBeGreaterThan(0);
});

it('a device without subgroups trains and ranks by other kernels alone', async () => {
  const { adapter } = await requestAdapter('auto');
  const device = await adapter!.requestDevice(); // a device has no feature that is not asked for
  const names = await kernelsOf(await Gpu.borrow(device));
  device.destroy();
  expect(names).toContain('linear');
  expect(names).toContain('pair_scores');
  expect(forSubgroups(names)).toEqual([]);
});

it('a CPU adapter with subgroups of eight lanes takes the kernels for them', async () => {
  const { subgroupSize, adapterKind } = on.gpu;
  const fitting = subgroupSize === LANES && adapterKind === 'software';
  expect(forSubgroups(await kernelsOf(on.gpu)).length > 0).toBe(fitting);
});

it.for([
  ['lesson', 18],
  ['paper-8', 15],
] as const)('a small batch of %s takes %i dispatches where layers are one each', ([preset, dispatches], { skip }) => {
  skip(!runsOnSubgroups(on.gpu), 'this adapter has no subgroups of eight lanes');
  const plan = recorded(on.gpu, GROUPS, { preset, batchSize: 256 }, 'fused');
  expect(plan.dispatches.map(({ label }) => label)).toHaveLength(dispatches);
});

it('a device with as few bindings as WebGPU promises computes hidden layers in more dispatches, to the same bits', async ({
  skip,
}) => {
  skip(!runsOnSubgroups(on.gpu), 'this adapter has no subgroups of eight lanes');
  const { adapter } = await requestAdapter('auto');
  const device = await adapter!.requestDevice({ requiredFeatures: ['subgroups'] });
  const few = await Gpu.borrow(device);
  const inOne = 'linear_batch_norm_subgroup';
  expect(await kernelsOf(on.gpu)).toContain(inOne);
  expect(await kernelsOf(few)).not.toContain(inOne);
  const weights = async (gpu: Gpu) => {
    const sizes = { gmfDim: 8, mlpDim: 16, mlpLayers: [32, 16, 8] };
    const trainer = await trained(gpu, { ...LESSON_LIKE, ...sizes, epochs: 2, eval: 'none' });
    return trainer.weightsSha256();
  };
  expect(await weights(few)).toBe(await weights(on.gpu));
  device.destroy();
});
