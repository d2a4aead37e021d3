import { describe, expect, it } from 'vitest';
import { Arena, cut, withinPieces } from '../../src/autograd/arena.ts';
import { useGpu } from '../gpu-fixture.ts';

const on = useGpu();

const table = (rows: number, dim: number) => ({ shape: [rows, dim], table: true });
const weights = (...shape: number[]) => ({ shape });
const bytes = (elements: number) => 4 * elements;

describe('an arena', () => {
  it.each<[string, Parameters<typeof cut>[0], number, number[]]>([
    ['that fits a binding is one piece', [table(100, 8), table(50, 8), weights(9, 9)], 832 + 448 + 128, [0]],
    ['whose tables fit one by one is cut between them', [table(100, 8), table(50, 8), weights(9, 9)], 832, [0, 832]],
    ['with a larger table is cut behind multiples of 64 rows', [table(300, 8)], 1200, [0, 1024, 2048]],
    ['has what is behind a split table in the same piece', [table(300, 8), weights(100)], 1200, [0, 1024, 2048]],
    ['keeps layers together', [table(90, 8), weights(100), weights(100), weights(30)], 768, [0, 768]],
    [
      'of layers that do not fit together is cut between them',
      [weights(100), weights(100), weights(30)],
      256,
      [0, 256],
    ],
  ])('%s', (_, tensors, elements, starts) => {
    expect(cut(tensors, bytes(elements)).map(({ from }) => from)).toEqual(starts);
  });

  it('in pieces takes and gives what belongs to each', async () => {
    const pieces = cut([table(300, 8)], bytes(1200));
    const arena = new Arena(on.gpu, 'numbers', pieces);
    expect(arena.size).toBe(bytes(2432));
    const values = Float32Array.from({ length: 2432 }, (_, i) => i);
    for (const piece of pieces) {
      const { buffer, offset } = arena.view(piece);
      on.gpu.write(buffer, offset, values.subarray(piece.from, piece.to));
    }
    const [some, more] = withinPieces(pieces, { from: 960, to: 1088 });
    expect([some, more]).toEqual([
      { from: 960, to: 1024 },
      { from: 1024, to: 1088 },
    ]);
    expect([...new Float32Array(await on.gpu.read(arena.view(some!)))]).toEqual([...values.subarray(960, 1024)]);
    expect([...new Float32Array(await on.gpu.read(arena.view(more!)))]).toEqual([...values.subarray(1024, 1088)]);
    expect(() => arena.view({ from: 960, to: 1088 })).toThrow(/960 to 1088/);
  });

  it('that begins later has nothing of what is before', () => {
    const arena = new Arena(on.gpu, 'gradients', cut([table(300, 8), weights(100)], bytes(1200)), 2432);
    expect(arena.size).toBe(bytes(128));
    expect(arena.view({ from: 2432, to: 2532 }).offset).toBe(0);
    expect(() => arena.view({ from: 0, to: 64 })).toThrow(/no buffer/);
  });
});
