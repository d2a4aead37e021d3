/** The microbenchmark of the kernels: what it covers, and that its checks find what is wrong. */
import { describe, expect, it } from 'vitest';
import { benchmark } from '../../bench/kernels/benchmark.ts';
import { type Case, sizesOf } from '../../bench/kernels/case.ts';
import { linearCases } from '../../bench/kernels/cases/linear.ts';
import { kernelCases, selectCases, sweep } from '../../bench/kernels/cases.ts';
import { multiplyAddCase } from '../../bench/kernels/ceilings.ts';
import { jsonLines } from '../../bench/kernels/json.ts';
import { nameOf, type Results } from '../../bench/kernels/results.ts';
import { blocksOf, sampleRows, takeColumns, takeRows } from '../../bench/kernels/sample.ts';
import { Stopwatch } from '../../bench/kernels/stopwatch.ts';
import { shortName, table } from '../../bench/kernels/table.ts';
import { Trial } from '../../bench/kernels/trial.ts';
import { ConfigError, GpuOutOfMemoryError } from '../../src/errors.ts';
import { Plan } from '../../src/gpu/plan.ts';
import { hadamard, relu } from '../../src/kernels/elementwise.ts';
import { linear } from '../../src/kernels/linear.ts';
import { PRESETS } from '../../src/models/config.ts';
import { useGpu } from '../gpu-fixture.ts';
import { SHADER_TEXTS } from '../shader-texts.ts';

const on = useGpu();

it('every shader that is of use on the adapter has a case', () => {
  const named = kernelCases(on.gpu, sizesOf('paper-8', 1024)).flatMap(({ kernels }) => kernels);
  const { subgroupSize, adapterKind } = on.gpu;
  const useful = [...SHADER_TEXTS.keys()]
    .filter((name) => !name.endsWith('_subgroup') || subgroupSize === 8)
    .filter((name) => name !== 'linear_tiled' || adapterKind === 'hardware');
  expect([...new Set(named)].sort()).toEqual(useful.sort());
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

describe('of a product that is checked in part', () => {
  const values = Float32Array.from({ length: 60 }, (_, i) => i + 1);
  const sample = sampleRows(20, 4, 2);
  const check = async (wrong: (out: Float32Array) => void) => {
    const trial = new Trial(on.gpu, 'sampled');
    const [input, expected] = [Float32Array.from(values), Float64Array.from(takeRows(values, sample))];
    wrong(input);
    const out = trial.sampledOutput('out', sample, expected, expected);
    hadamard(trial.plan, trial.input(input), trial.input(new Float32Array(60).fill(1)), out, 60);
    const outcome = await trial.check();
    trial.destroy();
    return outcome;
  };

  it('the sample is whole blocks, the first and the last among them', () => {
    expect(sample).toEqual({ rows: 20, chosen: [0, 1, 18, 19] });
    expect(blocksOf(sample, 2)).toEqual({ rows: 10, chosen: [0, 9] });
    expect(sampleRows(21, 7, 2)).toEqual({ rows: 21, chosen: [0, 1, 10, 11, 20] });
    expect(sampleRows(5, 1024, 8)).toEqual({ rows: 5, chosen: [0, 1, 2, 3, 4] });
    expect(sampleRows(1, 1)).toEqual({ rows: 1, chosen: [0] });
    expect([...takeRows(values, { rows: 20, chosen: [0, 19] })]).toEqual([1, 2, 3, 58, 59, 60]);
    expect([...takeColumns(values.subarray(0, 6), { rows: 3, chosen: [0, 2] })]).toEqual([1, 3, 4, 6]);
  });

  it('a wrong element of the sample is found, and elsewhere one that is no number', async () => {
    expect(await check(() => {})).toMatchObject({ error: 0, failure: null, checked: expect.closeTo(0.2, 1) });
    const worse = await check((out) => out.fill(5, 58, 59));
    expect(worse.failure).toMatch(/^out\[10\] is 5, not 59 /);
    const poisoned = await check((out) => out.fill(Number.NaN, 30, 32));
    expect(poisoned.failure).toBe('out, elements that are no numbers[0] is 2, not 0 (the exact value would be right)');
  });

  it('large batches agree with the reference, by every variant', async () => {
    const cases = kernelCases(on.gpu, { ...sizesOf('lesson', 1100), mlpDim: 4, mlpLayers: [8, 12] });
    for (const each of selectCases(cases, ['linear']).filter(({ shape }) => shape.includes('1,100 '))) {
      const trial = new Trial(on.gpu, each.shape);
      each.record(trial);
      const outcome = await trial.check();
      expect(outcome, `${each.kernels} ${each.shape}`).toMatchObject({ failure: null });
      expect(outcome.checked, each.shape).toBeGreaterThan(0.5);
      if (!each.shape.includes('gradient')) expect(outcome.checked, each.shape).toBeLessThan(1);
      trial.destroy();
    }
  });
});

describe('a sweep', () => {
  const shapes = (presets: string[], batches: number[], filters: string[]) =>
    sweep(on.gpu, presets, batches, filters).map(({ preset, batch, cases }) => ({
      preset,
      batch,
      shapes: [...new Set(cases.map(({ shape }) => shape))],
    }));

  it('has all layers of every preset at every batch', () => {
    expect(
      shapes(['paper-8', 'lesson'], [256, 65536], ['linear_input_grad', 'batch_norm_apply_vec4', 'relu_back']),
    ).toEqual([
      {
        preset: 'paper-8',
        batch: 256,
        shapes: [
          ...['64 → 32', '32 → 16', '16 → 8', '16 → 1'].map((layer) => `input gradient 256 × ${layer}`),
          ...['256 × 32', '256 × 16', '256 × 8'],
        ],
      },
      {
        preset: 'lesson',
        batch: 256,
        shapes: [
          ...['128 → 128', '128 → 64', '96 → 1'].map((layer) => `input gradient 256 × ${layer}`),
          ...['256 × 128', '256 × 64'],
        ],
      },
      {
        preset: 'paper-8',
        batch: 65536,
        shapes: [
          ...['64 → 32', '32 → 16', '16 → 8', '16 → 1'].map((layer) => `input gradient 65,536 × ${layer}`),
          ...['65,536 × 32', '65,536 × 16', '65,536 × 8'],
        ],
      },
      {
        preset: 'lesson',
        batch: 65536,
        shapes: [
          ...['128 → 128', '128 → 64', '96 → 1'].map((layer) => `input gradient 65,536 × ${layer}`),
          ...['65,536 × 128', '65,536 × 64'],
        ],
      },
    ]);
  });

  it('leaves no case out for one of the same name that is another', () => {
    const work = new Map<string, Case['timed']>();
    for (const preset of Object.keys(PRESETS)) {
      for (const batch of [256, 4096, 65536]) {
        const cases = kernelCases(on.gpu, sizesOf(preset, batch));
        expect(new Set(cases.map(nameOf)).size, `${preset}, ${batch}`).toBe(cases.length);
        for (const each of cases) {
          const name = nameOf(each);
          expect(each.timed, name).toEqual(work.get(name) ?? each.timed);
          work.set(name, each.timed);
        }
      }
    }
  });

  it('has what all batches share only once', () => {
    expect(shapes(['paper-8'], [256, 4096], ['clip', 'rank'])).toEqual([
      { preset: 'paper-8', batch: 256, shapes: ['163 × 100', '392,604', '16 × 3,706'] },
    ]);
  });

  it('marks the variant of a product that training takes', () => {
    const size = { rows: 256, inputs: 64, outputs: 32 };
    const view = (name: string, length: number) => ({ buffer: on.gpu.createBuffer(name, 4 * length) });
    const views = { x: view('x', 256 * 64), weight: view('weight', 32 * 64), bias: view('bias', 32) };
    const plan = new Plan(on.gpu, 'product');
    linear(plan, { ...views, y: view('y', 256 * 32) }, size, { relu: true });
    const chosen = linearCases(on.gpu, sizesOf('paper-8', 256)).filter((each) => each.chosen);
    expect(chosen.find(({ shape }) => shape === '256 × 64 → 32 relu')!.kernels).toEqual(
      plan.dispatches.map(({ label }) => label.replace(/\(.*/, '')),
    );
  });
});

describe('a run', () => {
  const x = Float32Array.of(-1, 2, 3, -4);
  const named = (kernel: string, outputs: number[]): Case => ({
    kernels: [kernel],
    shape: '4',
    timed: [{ first: 0, end: 1, bytes: 32, flops: 3 }],
    record: (trial) => relu(trial.plan, trial.input(x), trial.output('out', outputs), 3),
  });

  const measured = { adapter: 'a', adapterKind: 'software', rounds: 1, clock: 'c' };
  const jsonObjects = (results: Results) =>
    jsonLines(results, { preset: 'lesson', batch: 4 }, measured)
      .split('\n')
      .map((line) => JSON.parse(line));

  it('times what passes, and says of what fails which element is wrong and what it should be', async () => {
    const cases = [named('right', [0, 2, 3]), named('wrong', [0, 2, 4]), named('unwritten', [0, 2, 3, 0])];
    const results = await benchmark(on.gpu, cases, new Stopwatch(on.gpu), 1);
    expect(results.failures.map(({ failure }) => failure)).toEqual([
      'out[2] is 3, not 4 (the exact value would be right)',
      'out[3] is NaN, not 0 (the exact value would be right)',
    ]);
    const [copy, multiplyAdd, wrong, unwritten, right] = jsonObjects(results);
    expect(copy).toMatchObject({ ceiling: 'copyBufferToBuffer', adapter: 'a', preset: 'lesson', batch: 4 });
    expect(multiplyAdd).toMatchObject({ ceiling: 'multiplyAdd', adapter: 'a', preset: 'lesson', batch: 4 });
    expect(multiplyAdd.gigaflopsPerSecond).toBeCloseTo(multiplyAdd.flops / multiplyAdd.microseconds / 1000, 9);
    expect([wrong, unwritten]).toMatchObject([
      { kernels: ['wrong'], passed: false },
      { kernels: ['unwritten'], passed: false },
    ]);
    expect(right).toEqual({
      ...{ kernels: ['right'], shape: '4', bytes: 32, flops: 3, error: 0, checked: 1, passed: true },
      ...{ preset: 'lesson', batch: 4, repetitions: expect.any(Number), microseconds: expect.any(Number) },
      leastMicroseconds: right.microseconds,
      mostMicroseconds: right.microseconds,
      dispatchesPerSecond: expect.closeTo(1e6 / right.microseconds, 6),
      gigabytesPerSecond: expect.closeTo(32e-3 / right.microseconds, 12),
      gigaflopsPerSecond: expect.closeTo(3e-3 / right.microseconds, 12),
      shareOfCopy: expect.closeTo(right.gigabytesPerSecond / copy.gigabytesPerSecond, 12),
      shareOfMultiplyAdd: expect.closeTo(right.gigaflopsPerSecond / multiplyAdd.gigaflopsPerSecond, 12),
    });
    expect(right.microseconds).toBeGreaterThan(0);
    expect(table(results).split('\n')).toHaveLength(2);
  });

  it('has the variants of a shape one after another, part by part, with their ratios to the first', async () => {
    const twice = (variant: string, chosen: boolean): Case => ({
      ...named(`relu_${variant}`, [0, 2, 3]),
      kernels: [`relu_${variant}`, `relu_${variant}`],
      timed: [
        { first: 0, end: 2, bytes: 64 },
        { first: 1, end: 2, bytes: 32 },
      ],
      variant,
      chosen,
      record(trial) {
        const out = trial.output('out', [0, 2, 3]);
        for (let i = 0; i < 2; i++) relu(trial.plan, trial.input(x), out, 3);
      },
    });
    const cases = [twice('plain', false), named('other', [0, 2, 3]), twice('quick', true)];
    const results = await benchmark(on.gpu, cases, new Stopwatch(on.gpu), 3);
    const rows = results.lines.map(({ kernels, variant, chosen }) => [kernels.length, variant, chosen]);
    expect(rows).toEqual([
      [2, 'plain', false],
      [2, 'quick', true],
      [1, 'plain', false],
      [1, 'quick', true],
      [1, undefined, undefined],
    ]);
    const [plain, quick, , , other] = results.lines;
    expect(plain!.ratioToFirst).toBe(1);
    const ratios = quick!.time.rounds.map((own, round) => plain!.time.rounds[round]! / own);
    expect(quick!.ratioToFirst).toBe(ratios.sort((a, b) => a - b)[1]);
    expect(other).not.toHaveProperty('ratioToFirst');
    const [, , , quickLine, , , otherLine] = jsonObjects(results);
    expect(quickLine).toMatchObject({ variant: 'quick', chosen: true, ratioToFirst: quick!.ratioToFirst });
    expect(otherLine).not.toHaveProperty('variant');
    expect(table(results)).toMatch(/^relu_quick → quick +4 +quick \* /m);
  });

  it('goes on without what the adapter cannot hold, and says why', async () => {
    const huge: Case = {
      ...named('huge', []),
      record() {
        throw new GpuOutOfMemoryError('its output needs too much');
      },
    };
    const results = await benchmark(on.gpu, [huge, named('right', [0, 2, 3])], new Stopwatch(on.gpu), 1);
    expect(results.failures).toEqual([{ kernels: ['huge'], shape: '4', failure: 'its output needs too much' }]);
    expect(results.lines.map(({ kernels }) => kernels)).toEqual([['right']]);
  });

  it('measures multiply-adds that all were done', async () => {
    const trial = new Trial(on.gpu, 'multiply_add');
    multiplyAddCase(on.gpu).record(trial);
    expect(await trial.check()).toEqual({ error: 0, failure: null, checked: 1 });
    trial.destroy();
  });

  it('can be narrowed to kernels by parts of their names', () => {
    const cases = kernelCases(on.gpu, sizesOf('paper-8', 64));
    const names = selectCases(cases, ['group_so', 'clip']).flatMap(({ kernels, timed }) =>
      timed.map(({ first, end }) => shortName(kernels.slice(first, end))),
    );
    expect(names).toEqual(['group_link → sort', 'global_norm → clip_factor', 'clip_factor']);
    expect(() => selectCases(cases, ['tanh'])).toThrow(ConfigError);
  });
});
