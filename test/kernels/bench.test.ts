/** The microbenchmark of the kernels: what it covers, and that its checks find what is wrong. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { benchmark } from '../../bench/kernels/benchmark.ts';
import { type Case, sizesOf } from '../../bench/kernels/case.ts';
import { kernelCases, selectCases } from '../../bench/kernels/cases.ts';
import { jsonLines } from '../../bench/kernels/json.ts';
import { Stopwatch } from '../../bench/kernels/stopwatch.ts';
import { shortName, table } from '../../bench/kernels/table.ts';
import { Trial } from '../../bench/kernels/trial.ts';
import { ConfigError } from '../../src/errors.ts';
import { relu } from '../../src/kernels/elementwise.ts';
import { runsOnSubgroups } from '../../src/kernels/linear-subgroup.ts';
import { useGpu } from '../gpu-fixture.ts';

const on = useGpu();
const shaders = readdirSync(new URL('../../shaders/', import.meta.url)).map((file) => file.replace('.wgsl', ''));

it('every shader that the adapter can run has a case', () => {
  const named = kernelCases(on.gpu, sizesOf('paper-8', 1024)).flatMap(({ kernels }) => kernels);
  const possible = shaders.filter((name) => name !== 'linear_subgroup' || runsOnSubgroups(on.gpu));
  expect([...new Set(named)].sort()).toEqual(possible.sort());
});

describe.each([
  ['paper-8', []],
  ['lesson', ['linear', 'sample']],
])('the cases of %s %j', (preset, filters) => {
  it('agree with the reference, and dispatch and time the kernels that they name', async () => {
    for (const each of selectCases(kernelCases(on.gpu, sizesOf(preset, 50)), filters)) {
      const trial = new Trial(on.gpu, each.shape);
      each.record(trial);
      expect(trial.plan.dispatches.map(({ label }) => label.replace(/\(.*/, ''))).toEqual(each.kernels);
      expect(await trial.check(), `${each.kernels} ${each.shape}`).toMatchObject({ failure: null });
      const timed = each.timed.flatMap(({ first, end }) => each.kernels.slice(first, end));
      expect(new Set(timed)).toEqual(new Set(each.kernels));
      trial.destroy();
    }
  });
});

describe('a run', () => {
  const x = Float32Array.of(-1, 2, 3, -4);
  const named = (kernel: string, outputs: number[]): Case => ({
    kernels: [kernel],
    shape: '4',
    timed: [{ first: 0, end: 1, bytes: 32 }],
    record: (trial) => relu(trial.plan, trial.input(x), trial.output('out', outputs), 3),
  });

  it('times what passes, and says of what fails which element is wrong and what it should be', async () => {
    const cases = [named('right', [0, 2, 3]), named('wrong', [0, 2, 4]), named('unwritten', [0, 2, 3, 0])];
    const results = await benchmark(on.gpu, cases, new Stopwatch(on.gpu), 1);
    expect(results.failures.map(({ failure }) => failure)).toEqual([
      'out[2] is 3, not 4 (the exact value would be right)',
      'out[3] is NaN, not 0 (the exact value would be right)',
    ]);
    const [copy, wrong, unwritten, right] = jsonLines(results, { adapter: 'a' })
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(copy).toMatchObject({ ceiling: 'copyBufferToBuffer', adapter: 'a' });
    expect([wrong, unwritten]).toMatchObject([
      { kernels: ['wrong'], passed: false },
      { kernels: ['unwritten'], passed: false },
    ]);
    expect(right).toMatchObject({ kernels: ['right'], passed: true, error: 0, bytes: 32 });
    expect(right.microseconds).toBeGreaterThan(0);
    expect(right.gigabytesPerSecond).toBeCloseTo(32e-3 / right.microseconds, 12);
    expect(table(results).split('\n')).toHaveLength(2);
  });

  it('can be narrowed to kernels by parts of their names', () => {
    const cases = kernelCases(on.gpu, sizesOf('paper-8', 64));
    const names = selectCases(cases, ['group_so', 'clip']).flatMap(({ kernels, timed }) =>
      timed.map(({ first, end }) => shortName(kernels.slice(first, end))),
    );
    expect(names).toEqual(['group_link → sort', 'global_norm → clip_factor', 'clip_factor']);
    expect(() => selectCases(cases, ['softmax'])).toThrow(ConfigError);
  });
});
