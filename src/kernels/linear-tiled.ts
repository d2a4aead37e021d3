import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import type { View } from './launch.ts';

const kernel = defineKernel({
  name: 'linear_tiled',
  params: { rows: 'u32', columns: 'u32', depth: 'u32', span: 'u32', a_stride: 'u32', b_stride: 'u32' },
  bindings: { a: 'read', b: 'read', y: 'read', bias: 'read', c: 'write', extra: 'write' },
  constants: ['A_ALONG_K', 'B_ALONG_K', 'MASKED', 'BIAS', 'RELU', 'STATISTICS', 'ROW_SUMS', 'NO_BIAS'],
});

/** Rows and columns of the tile that a workgroup computes. */
const TILE = 64;

/** c[rows, columns] from sums over `depth`. */
export interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Whether a is [rows, depth], or else [depth, rows]; likewise b, with columns. */
  readonly aAlongDepth: boolean;
  readonly bAlongDepth: boolean;
}

export interface ProductOptions {
  /** Added to each column: f32[columns]. */
  readonly bias?: View;
  readonly relu?: boolean;
  /** The shape of a: where it is not above 0, a counts as 0. */
  readonly mask?: View;
  /** Takes the partial statistics that batch_norm_finish joins. */
  readonly statistics?: View;
  /** The depth divided into parts of `span`, each with a c of its own. */
  readonly parts?: { readonly parts: number; readonly span: number };
  /** Takes the sums of a's rows, or zeros. */
  readonly rowSums?: { readonly to: View; readonly zero: boolean };
}

/** c[i, j] = bias[j] + Σ_k a[i, k] · b[j, k], in tiles of 64 × 64 in workgroup memory. */
export function productInTiles(
  plan: Plan,
  { a, b, c }: Record<'a' | 'b' | 'c', View>,
  product: Product,
  { bias, relu = false, mask, statistics, parts = { parts: 1, span: product.depth }, rowSums }: ProductOptions = {},
): void {
  const { rows, columns, depth, aAlongDepth, bAlongDepth } = product;
  const strides = { a_stride: aAlongDepth ? depth : rows, b_stride: bAlongDepth ? depth : columns };
  plan.dispatch(
    kernel,
    // `unused` is written to in the place of `extra`, and what is written may not be read as well: a is the stand-in.
    { a, b, y: mask ?? a, bias: bias ?? a, c, extra: statistics ?? rowSums?.to ?? plan.gpu.unused },
    { rows, columns, depth, span: parts.span, ...strides },
    Math.ceil(rows / TILE) * Math.ceil(columns / TILE) * parts.parts,
    {
      A_ALONG_K: Number(aAlongDepth),
      B_ALONG_K: Number(bAlongDepth),
      MASKED: Number(mask !== undefined),
      BIAS: Number(bias !== undefined),
      RELU: Number(relu),
      STATISTICS: Number(statistics !== undefined),
      ROW_SUMS: Number(rowSums !== undefined),
      NO_BIAS: Number(rowSums?.zero ?? false),
    },
  );
}
