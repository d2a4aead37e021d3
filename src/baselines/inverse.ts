import { ConfigError } from '../errors.ts';
import { turns, type Watch } from './long-loop.ts';

/** Rows and columns swept together; sizes are multiples of it. */
export const BLOCK = 32;

/**
 * Inverts a symmetric positive definite matrix in place, a block of rows and columns K after the other. With D = A_KK,
 * V = A_:K and W = V D⁻¹, for i and j outside of K,
 *
 *   A_ij ← A_ij − W_i · V_j,   A_iK ← W_i,   A_KK ← −D⁻¹
 *
 * keeps A symmetric and leaves −A⁻¹ after the last block (Goodnight 1979, A Tutorial on the SWEEP Operator). Only the
 * lower triangle is worked on: size³ / 2 multiply-adds in float64, and no memory but two panels of size × BLOCK.
 *
 * @param a [size × size], of which the lower triangle is read
 * @param size a multiple of BLOCK
 * Throws ConfigError when a pivot shows that the matrix is not positive definite, as far as float64 can tell.
 */
export async function invertSymmetric(a: Float64Array, size: number, watch: Watch = {}): Promise<void> {
  const turn = turns(watch);
  const d = new Float64Array(BLOCK * BLOCK);
  const v = new Float64Array(size * BLOCK);
  const w = new Float64Array(size * BLOCK);
  for (let first = 0; first < size; first += BLOCK) {
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < BLOCK; k++) {
        const column = first + k;
        v[i * BLOCK + k] = i >= column ? a[i * size + column] : a[column * size + i];
      }
    }
    d.set(v.subarray(first * BLOCK, (first + BLOCK) * BLOCK));
    sweepAll(d);
    w.fill(0);
    subtractProduct(w, v, d);
    for (let i = 0; i < size; i += TILE) {
      subtractTiles(a, w, v, size, i);
      await turn((first + (BLOCK * i) / size) / size);
    }
    // What the tiles left in K's own rows and columns is replaced
    for (let i = 0; i < size; i++) {
      const row = i - first;
      const inBlock = row >= 0 && row < BLOCK;
      for (let k = 0; k < BLOCK; k++) {
        const column = first + k;
        a[i >= column ? i * size + column : column * size + i] = inBlock ? d[row * BLOCK + k] : w[i * BLOCK + k];
      }
    }
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) a[i * size + j] = a[j * size + i] = -a[i * size + j];
  }
}

/** d ← −d⁻¹, a row and column at a time. */
function sweepAll(d: Float64Array): void {
  for (let k = 0; k < BLOCK; k++) {
    const pivot = d[k * BLOCK + k];
    if (!(pivot > 0)) {
      throw new ConfigError(
        `the matrix is not positive definite, as its pivot ${pivot} shows; a larger λ would be right`,
      );
    }
    for (let i = 0; i < BLOCK; i++) {
      if (i === k) continue;
      const factor = d[i * BLOCK + k] / pivot;
      for (let j = 0; j < BLOCK; j++) {
        if (j !== k) d[i * BLOCK + j] -= factor * d[k * BLOCK + j];
      }
      d[i * BLOCK + k] = factor;
    }
    for (let j = 0; j < BLOCK; j++) d[k * BLOCK + j] = d[j * BLOCK + k];
    d[k * BLOCK + k] = -1 / pivot;
  }
}

/** w ← w − v d: [size × BLOCK] and [BLOCK × BLOCK]. */
function subtractProduct(w: Float64Array, v: Float64Array, d: Float64Array): void {
  for (let row = 0; row < v.length; row += BLOCK) {
    for (let k = 0; k < BLOCK; k++) {
      const factor = v[row + k];
      for (let j = 0; j < BLOCK; j++) w[row + j] -= factor * d[k * BLOCK + j];
    }
  }
}

const TILE = 4;

/** a_ij ← a_ij − w_i · v_j for the four rows from i and all j up to them, in tiles of 4 × 4 that fit the registers. */
function subtractTiles(a: Float64Array, w: Float64Array, v: Float64Array, size: number, i: number): void {
  const w0 = i * BLOCK;
  for (let j = 0; j <= i; j += TILE) {
    const v0 = j * BLOCK;
    let [s00, s01, s02, s03] = [0, 0, 0, 0];
    let [s10, s11, s12, s13] = [0, 0, 0, 0];
    let [s20, s21, s22, s23] = [0, 0, 0, 0];
    let [s30, s31, s32, s33] = [0, 0, 0, 0];
    for (let k = 0; k < BLOCK; k++) {
      const a0 = w[w0 + k];
      const a1 = w[w0 + BLOCK + k];
      const a2 = w[w0 + 2 * BLOCK + k];
      const a3 = w[w0 + 3 * BLOCK + k];
      const b0 = v[v0 + k];
      const b1 = v[v0 + BLOCK + k];
      const b2 = v[v0 + 2 * BLOCK + k];
      const b3 = v[v0 + 3 * BLOCK + k];
      s00 += a0 * b0;
      s01 += a0 * b1;
      s02 += a0 * b2;
      s03 += a0 * b3;
      s10 += a1 * b0;
      s11 += a1 * b1;
      s12 += a1 * b2;
      s13 += a1 * b3;
      s20 += a2 * b0;
      s21 += a2 * b1;
      s22 += a2 * b2;
      s23 += a2 * b3;
      s30 += a3 * b0;
      s31 += a3 * b1;
      s32 += a3 * b2;
      s33 += a3 * b3;
    }
    let at = i * size + j;
    a[at] -= s00;
    a[at + 1] -= s01;
    a[at + 2] -= s02;
    a[at + 3] -= s03;
    at += size;
    a[at] -= s10;
    a[at + 1] -= s11;
    a[at + 2] -= s12;
    a[at + 3] -= s13;
    at += size;
    a[at] -= s20;
    a[at + 1] -= s21;
    a[at + 2] -= s22;
    a[at + 3] -= s23;
    at += size;
    a[at] -= s30;
    a[at + 1] -= s31;
    a[at + 2] -= s32;
    a[at + 3] -= s33;
  }
}
