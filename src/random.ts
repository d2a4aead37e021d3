/**
 * The counter-based generator, as the shaders have it: every random number is a function of (seed, stream, epoch or
 * step, index), computed in integers, so that all adapters and browsers draw the same.
 */

/** Streams below are numbered within 16 bits each: rounds of the shuffle, draws of a negative, layers of dropout. */
export const STREAM = {
  shuffle: 0x10000,
  negative: 0x20000,
  dropout: 0x30000,
  weights: 0x40000,
  evaluation: 0x50000,
  baseline: 0x60000,
  pretraining: 0x70000,
  validation: 0x80000,
} as const;

/** pcg4d (Jarzynski and Olano 2020, Hash Functions for GPU Rendering), into `out`. */
export function pcg4d(out: Uint32Array, seed: number, stream: number, epoch: number, index: number): Uint32Array {
  let x = (Math.imul(seed, 1664525) + 1013904223) | 0;
  let y = (Math.imul(stream, 1664525) + 1013904223) | 0;
  let z = (Math.imul(epoch, 1664525) + 1013904223) | 0;
  let w = (Math.imul(index, 1664525) + 1013904223) | 0;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  w ^= w >>> 16;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  out[0] = x;
  out[1] = y;
  out[2] = z;
  out[3] = w + Math.imul(y, z);
  return out;
}

/** Maps a random word to 0 … bound − 1: the high word of their 64-bit product, exactly. */
export function below(word: number, bound: number): number {
  const high = (word >>> 16) * bound;
  const low = Math.floor(((word & 0xffff) * bound) / 65536);
  return Math.floor((high + low) / 65536);
}
