/** The mistakes that bench/reliability/mutants.ts makes in the kernels of the backward pass. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BACKWARD_KERNELS } from '../../bench/reliability/mutants/kernels.ts';
import { mutantsOf } from '../../bench/reliability/mutants/mutants.ts';
import { ConfigError } from '../../src/errors.ts';

const code = (text: string) => text.split('\n').filter((line) => !line.startsWith('//'));

describe.each(BACKWARD_KERNELS)('in $shader', (kernel) => {
  const text = readFileSync(new URL(`../../shaders/${kernel.shader}.wgsl`, import.meta.url), 'utf8');

  it('every gradient can be negated and every last row left out, in code of the shader as it is', () => {
    const mutants = mutantsOf(kernel, text);
    expect(mutants).toHaveLength(kernel.gradients.length + kernel.lastRows.length);
    expect(kernel.lastRows).not.toHaveLength(0);
    expect(new Set([text, ...mutants.map((mutant) => mutant.text)]).size).toBe(1 + mutants.length);
    for (const mutant of mutants) expect(code(mutant.text)).not.toEqual(code(text));
  });
});

it('a sign changes in all assignments, and nowhere else', () => {
  const kernel = { shader: 'test', gradients: ['dx'], lastRows: [['i >= n', 'i + 1u >= n']], tests: [] } as const;
  const text =
    '// dx[i] = w;\nvar dx = 0.0;\nif (i >= n) { return; }\ndx[i + 1u] = a.x * b;\ndx += 2.0; v.dx += 1.0; ddx = 1.0;';
  expect(mutantsOf(kernel, text).map((mutant) => mutant.text)).toEqual([
    '// dx[i] = w;\nvar dx = 0.0;\nif (i >= n) { return; }\ndx[i + 1u] = -(a.x * b);\ndx += -(2.0); v.dx += 1.0; ddx = 1.0;',
    text.replace('i >= n', 'i + 1u >= n'),
  ]);
});

it('a shader that no longer has what is to be changed is refused', () => {
  const kernel = { shader: 'test', gradients: ['dx'], lastRows: [['i >= n', 'true']], tests: [] } as const;
  expect(() => mutantsOf(kernel, 'if (i >= n) { return; }')).toThrow(
    new ConfigError('test.wgsl assigns nothing to dx: what it assigns would be right'),
  );
  expect(() => mutantsOf(kernel, 'dx = 1.0;')).toThrow(
    new ConfigError('test.wgsl has "i >= n" 0 times: once would be right'),
  );
});
