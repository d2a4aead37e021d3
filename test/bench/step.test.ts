/** The cost of a training step: the model of it, the data it is measured on, and the command. */
import { describe, expect, it } from 'vitest';
import { costOf, total } from '../../bench/step/cost.ts';
import { distinctRows, generated } from '../../bench/step/generated.ts';
import { Workplace } from '../cli/command.ts';
import { Draws } from '../numbers.ts';

const workplace = new Workplace();
const SIZE = { users: 40, items: 60, perUser: 9 };

describe('generated data', () => {
  const split = generated(SIZE);

  it('gives every user as many distinct items as asked for, in order', () => {
    for (let user = 0; user < SIZE.users; user++) {
      const own = [...split.train.items.subarray(split.train.offsets[user]!, split.train.offsets[user + 1]!)];
      expect(own).toEqual([...new Set(own)].sort((a, b) => a - b));
      expect(own).toHaveLength(SIZE.perUser);
      expect(Math.max(...own)).toBeLessThan(SIZE.items);
    }
  });

  it('the rows that a batch looks at are as many as batches drawn one by one have on average', () => {
    const draws = new Draws(4);
    const [rows, negatives, batches] = [50, 3, 4000];
    const pick = (n: number) => Math.floor(draws.uniform() * n);
    let [users, items] = [0, 0];
    for (let batch = 0; batch < batches; batch++) {
      const seen = { users: new Set<number>(), items: new Set<number>() };
      for (let row = 0; row < rows; row++) {
        const positive = pick(split.train.items.length);
        seen.users.add(Math.floor(positive / SIZE.perUser));
        seen.items.add(pick(1 + negatives) === 0 ? split.train.items[positive]! : pick(SIZE.items));
      }
      users += seen.users.size / batches;
      items += seen.items.size / batches;
    }
    const expected = distinctRows(split, rows, negatives);
    expect(expected.users).toBeCloseTo(users, 0);
    expect(expected.items).toBeCloseTo(items, 0);
  });
});

describe('the cost model', () => {
  const config = {
    model: 'neumf',
    users: 100,
    items: 50,
    gmfDim: 4,
    mlpDim: 8,
    mlpLayers: [8],
    batchNorm: false,
    dropout: 0,
  } as const;
  const batch = { rows: 10, distinct: { users: 7, items: 5 }, clipped: false };

  it('counts a small step as by hand', () => {
    const parts = Object.fromEntries(costOf(config, batch).map(({ part, ...work }) => [part, work]));
    const [touched, looked] = [(7 + 5) * 12, 2 * 10 * 12];
    expect(parts['embeddings with Adam']).toEqual({
      bytes: 24 * touched + 24 * touched + 8 * looked,
      flops: 14 * 150 * 12 + 17 * touched + looked,
    });
    // 16 → 8: forward, to the input, to the weight, each twice 10 · 16 · 8; two operations a unit beside them
    expect(parts.tower!.flops).toBe(3 * 2 * 10 * 16 * 8 + 2 * 10 * 8);
    // x, dz, x once more, and W, W, dW; then z, dx, dz once more, the rectifier's mask and its result
    expect(parts.tower!.bytes).toBe(4 * (3 * 16 * 8 + 10 * 3 * 16 + 10 * 3 * 8 + 2 * 10 * 8));
  });

  it('grows by the table’s rows in operations, and not in bytes', () => {
    const [small, large] = [total(costOf(config, batch)), total(costOf({ ...config, users: 1100 }, batch))];
    expect(large.flops - small.flops).toBe(14 * 1000 * 12);
    expect(large.bytes).toBe(small.bytes);
  });
});

describe('node bench/step.ts', () => {
  it('prints the step beside its floors, and that it makes nothing new', async () => {
    const args = [
      '--preset',
      'paper-8',
      '--batch',
      '16',
      '--size',
      '40x60x9',
      '--step',
      'fused,plain',
      '--rounds',
      '1',
      '--json',
    ];
    const { code, stdout } = await workplace.run('step', args);
    expect(code).toBe(0);
    const [ceilings, ...steps] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(ceilings.gigabytes).toBeGreaterThan(0);
    expect(ceilings.startUpMilliseconds.total).toBeGreaterThan(ceilings.startUpMilliseconds.step);
    expect(steps).toMatchObject([
      { step: 'fused', preset: 'paper-8', batch: 16, users: 40, objects: 0 },
      { step: 'plain', preset: 'paper-8', batch: 16, users: 40, objects: 0 },
    ]);
    expect(steps[0].dispatches).toBeLessThan(steps[1].dispatches);
    for (const { milliseconds } of steps) expect(milliseconds).toBeGreaterThan(0);
  });

  it.each(['10x10x6', '10x20', '0x20x2', 'axbxc'])('--size %s is refused', async (size) => {
    await workplace.expectRefused('step', ['--size', size], /such as 6040x3706x163, would be right/);
  });
});
