import { describe, expect, it } from 'vitest';
import { STREAM } from '../../src/random.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';
import { pcg4d } from '../reference/random.ts';
import { SHADER_TEXTS } from '../shader-texts.ts';

const on = useGpu();

/** What a device says to a shader as it stands. */
async function errorsOf(name: string, code: string): Promise<string[]> {
  const { device } = on.gpu;
  device.pushErrorScope('validation');
  const { messages } = await device.createShaderModule({ label: name, code }).getCompilationInfo();
  await device.popErrorScope();
  return messages.filter(({ type }) => type === 'error').map(({ message }) => message);
}

const forSubgroups = ([name]: readonly [string, string]) => name.endsWith('_subgroup');

it.each([...SHADER_TEXTS].filter((shader) => !forSubgroups(shader)))(
  '%s.wgsl compiles as it stands',
  async (...shader) => {
    expect(await errorsOf(...shader)).toEqual([]);
  },
);

// Firefox's devices have none: there these kernels are never taken, see subgroups.test.ts.
it.each([...SHADER_TEXTS].filter(forSubgroups))(
  '%s.wgsl compiles where the device has subgroups, and is refused for want of them alone where it has none',
  async (...shader) => {
    const refused = on.gpu.device.features.has('subgroups') ? [] : [expect.stringMatching(/enable.*subgroups/s)];
    expect(await errorsOf(...shader)).toEqual(refused);
  },
);

describe('the generator', () => {
  const texts = [...SHADER_TEXTS.values()].flatMap((text) => text.match(/^fn pcg4d[\s\S]*?^\}/m)?.[0] ?? []);

  it('is the same text in all shaders that draw random numbers', () => {
    expect(texts).toHaveLength(5);
    expect(new Set(texts).size).toBe(1);
  });

  it('gives the words of the reference', async () => {
    const counters = Array.from(new Draws(1).ids(4 * 64, 2 ** 32));
    counters.splice(0, 8, 42, STREAM.dropout, 0, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff);
    const { device } = on.gpu;
    const trial = new Trial(on.gpu);
    const [input, out] = [trial.input(Uint32Array.from(counters)), trial.u32('words', counters.length)];
    const code = `@group(0) @binding(0) var<storage, read> counters: array<vec4u>;
      @group(0) @binding(1) var<storage, read_write> words: array<vec4u>;
      ${texts[0]}
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { words[id.x] = pcg4d(counters[id.x]); }`;
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }) },
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = [input, out.view].map((resource, binding) => ({ binding, resource }));
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    on.gpu.submit(encoder.finish());
    const expected = Array.from({ length: 64 }, (_, i) => {
      const [seed, stream, epoch, index] = counters.slice(4 * i, 4 * i + 4) as [number, number, number, number];
      return pcg4d(seed, stream, epoch, index);
    });
    expect([...(await out.data())]).toEqual(expected.flat());
  });
});
