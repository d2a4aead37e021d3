import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import type { Kernel } from '../../src/gpu/kernel.ts';
import { STREAM } from '../../src/random.ts';
import { Trial, useGpu } from '../gpu-fixture.ts';
import { Draws } from '../numbers.ts';
import { pcg4d } from '../reference/random.ts';

const twins = vi.hoisted((): Kernel[] => []);
vi.mock('../../src/gpu/kernel.ts', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  defineKernel(kernel: Kernel) {
    twins.push(kernel);
    return kernel;
  },
}));

const on = useGpu();
const root = new URL('../../', import.meta.url);
const names = readdirSync(new URL('shaders/', root)).map((file) => file.replace('.wgsl', ''));
const shader = (name: string) => readFileSync(new URL(`shaders/${name}.wgsl`, root), 'utf8');
for (const file of readdirSync(new URL('src/kernels/', root))) await import(`../../src/kernels/${file}`);

it('every shader has one TypeScript twin, and every twin a shader', () => {
  expect(twins.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
});

describe.each(names)('%s.wgsl', (name) => {
  const text = shader(name);
  const twin = twins.find((kernel) => kernel.name === name)!;

  it('begins with what it computes, and what a thread or a workgroup does', () => {
    const header = text.slice(0, text.search(/^[^/]/m));
    expect(header).toMatch(/=|sorted/);
    expect(header).toMatch(/\b(thread|workgroup)s?\b/i);
  });

  it('compiles as it stands', async () => {
    const module = on.gpu.device.createShaderModule({ label: name, code: text });
    const { messages } = await module.getCompilationInfo();
    expect(messages.filter(({ type }) => type === 'error').map(({ message }) => message)).toEqual([]);
  });

  it('declares the parameters, bindings and constants of its twin', () => {
    const params = text.match(/struct Params \{([^}]*)\}/)![1]!;
    const members = [...params.matchAll(/(\w+): (\w+)/g)].map(([, member, type]) => [member, type]);
    expect(members).toEqual(Object.entries(twin.params));

    const bindings = [...text.matchAll(/@binding\((\d)\) var<storage, (\w+)> (\w+)/g)];
    expect(bindings.map(([, binding]) => Number(binding))).toEqual(Object.keys(twin.bindings).map((_, i) => i + 1));
    expect(bindings.map(([, , access]) => (access === 'read' ? 'read' : 'write'))).toEqual(
      Object.values(twin.bindings),
    );
    const snake = (binding: string) => binding.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    Object.keys(twin.bindings).forEach((binding, i) => {
      expect(bindings[i]![3]!.startsWith(snake(binding)), `${bindings[i]![3]} and ${binding}`).toBe(true);
    });

    const overrides = [...text.matchAll(/^override (\w+)/gm)].map(([, constant]) => constant);
    expect(overrides).toEqual(expect.arrayContaining([...(twin.constants ?? [])]));
  });
});

describe('the generator', () => {
  const texts = names.flatMap((name) => shader(name).match(/^fn pcg4d[\s\S]*?^\}/m)?.[0] ?? []);

  it('is the same text in all shaders that draw random numbers', () => {
    expect(texts).toHaveLength(4);
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
