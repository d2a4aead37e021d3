import type { Gpu } from '../gpu/device.ts';
import type { View } from '../kernels/launch.ts';
import { elements, type Shape } from './tensor.ts';

/** Some of an arena's elements, from one to another; the first is a multiple of 64. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Bindings start at multiples of 256 bytes: so many elements. */
const ALIGNMENT = 64;
/** Elements from the start of a tensor of `size` elements to that of the next one. */
export const aligned = (size: number) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

/** What stands in an arena, in this order. */
export interface Placed {
  readonly shape: Shape;
  /** An embedding table, which may be cut between rows. */
  readonly table?: boolean;
}

/**
 * Cuts an arena into as few pieces as fit one binding each. This is the only place that decides whether a table is split:
 * one that fits a binding never is, and others are cut behind a multiple of 64 rows, so that every piece of them can be
 * bound. All that is not a table stays together where it can. Where everything fits, there is one piece.
 * @param bytes of a binding at most; no tensor that is not a table may be larger
 */
export function cut(tensors: readonly Placed[], bytes: number): Stretch[] {
  const most = bytes / 4;
  const rest = tensors.filter(({ table }) => !table).reduce((sum, { shape }) => sum + aligned(elements(shape)), 0);
  const cuts = [0];
  let end = 0;
  let isTogether = false;
  for (const { shape, table } of tensors) {
    const from = end;
    end += aligned(elements(shape));
    if (isTogether) continue;
    isTogether = !table && rest <= most;
    const to = isTogether ? from + rest : end;
    if (to - cuts.at(-1)! > most && from > cuts.at(-1)!) cuts.push(from);
    while (table && end - cuts.at(-1)! > most) cuts.push(cuts.at(-1)! + rowsThatFit(shape[1]!, bytes) * shape[1]!);
  }
  return cuts.map((from, i) => ({ from, to: cuts[i + 1] ?? end }));
}

/** Rows of so many elements that one binding holds: a multiple of 64, and no fewer. */
export function rowsThatFit(width: number, bytes: number): number {
  return Math.max(1, Math.floor(bytes / 4 / width / ALIGNMENT)) * ALIGNMENT;
}

/** What of a stretch lies in each piece that it touches. */
export function withinPieces(pieces: readonly Stretch[], { from, to }: Stretch): Stretch[] {
  return pieces
    .map((piece) => ({ from: Math.max(from, piece.from), to: Math.min(to, piece.to) }))
    .filter((part) => part.from < part.to);
}

/** A number for each element of a model's parameters: their weights, gradients or moments. One buffer a piece. */
export class Arena {
  readonly #buffers: readonly (Stretch & { readonly buffer: GPUBuffer })[];

  /** Zeros. @param from the first element that it has */
  constructor(gpu: Gpu, label: string, pieces: readonly Stretch[], from = 0) {
    const parts = withinPieces(pieces, { from, to: pieces.at(-1)!.to });
    this.#buffers = parts.map((part, i) => ({
      ...part,
      buffer: gpu.createBuffer(
        parts.length > 1 ? `${label}, ${i + 1} of ${parts.length}` : label,
        4 * (part.to - part.from),
      ),
    }));
  }

  /** Bytes in all. */
  get size(): number {
    return this.#buffers.reduce((sum, { buffer }) => sum + buffer.size, 0);
  }

  /** @param stretch lies within one piece */
  view({ from, to }: Stretch): View & { readonly offset: number; readonly size: number } {
    const part = this.#buffers.find((candidate) => candidate.from <= from && to <= candidate.to);
    if (!part) throw new Error(`elements ${from} to ${to} are in no buffer`);
    return { buffer: part.buffer, offset: 4 * (from - part.from), size: 4 * (to - from) };
  }
}
