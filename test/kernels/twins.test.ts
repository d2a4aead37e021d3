/** Shaders and their TypeScript twins by their texts; shaders.test.ts compiles them. */
import { describe, expect, it, vi } from 'vitest';
import type { Kernel } from '../../src/gpu/kernel.ts';
import { SHADER_TEXTS } from '../shader-texts.ts';

const twins = vi.hoisted((): Kernel[] => []);
vi.mock('../../src/gpu/kernel.ts', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  defineKernel(kernel: Kernel) {
    twins.push(kernel);
    return kernel;
  },
}));
for (const load of Object.values(import.meta.glob('../../src/kernels/*.ts'))) await load();

it('every shader has one TypeScript twin, and every twin a shader', () => {
  expect(twins.map(({ name }) => name).toSorted()).toEqual([...SHADER_TEXTS.keys()].toSorted());
});

describe.each([...SHADER_TEXTS])('%s.wgsl', (name, text) => {
  const twin = twins.find((kernel) => kernel.name === name)!;

  it('begins with what it computes, and what a thread or a workgroup does', () => {
    const header = text.slice(0, text.search(/^[^/]/m));
    expect(header).toMatch(/=|sorted/);
    expect(header).toMatch(/\b(thread|workgroup)s?\b/i);
  });

  it('declares the parameters, bindings and constants of its twin', () => {
    const params = text.match(/struct Params \{([^}]*)\}/)![1]!;
    const members = [...params.matchAll(/(\w+): (\w+)/g)].map(([, member, type]) => [member, type]);
    expect(members).toEqual(Object.entries(twin.params));

    const bindings = [...text.matchAll(/@binding\((\d+)\) var<storage, (\w+)> (\w+)/g)];
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
