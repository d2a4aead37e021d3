import type { Gpu } from '../gpu/device.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import type { View } from './launch.ts';

const kernel = defineKernel({
  name: 'linear_subgroup',
  params: {
    rows: 'u32',
    columns: 'u32',
    depth: 'u32',
    span: 'u32',
    a_row: 'u32',
    a_k: 'u32',
    b_column: 'u32',
    b_k: 'u32',
  },
  bindings: { a: 'read', b: 'read', bias: 'read', c: 'write', extra: 'write' },
  constants: ['BIAS', 'RELU', 'STATISTICS', 'ROW_SUMS', 'NO_BIAS'],
});

/** Lanes of the subgroups that the shader is written for. */
const LANES = 8;
/** Rows and columns of the tile that one subgroup keeps. */
const TILE = 16;

/** Whether the adapter's subgroups are those that the shader is written for. */
export const runsOnSubgroups = ({ subgroupSize }: Gpu): boolean => subgroupSize === LANES;

/** c[rows, columns] from sums over `depth`, and how far apart the elements of a and b lie from one to the next. */
export interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly a_row: number;
  readonly a_k: number;
  readonly b_column: number;
  readonly b_k: number;
}

export interface ProductOptions {
  /** Added to each column: f32[columns]. */
  readonly bias?: View;
  readonly relu?: boolean;
  /** Takes the partial statistics that batch_norm_finish joins. */
  readonly statistics?: View;
  /** The depth divided into parts of `span`, each with a c of its own. */
  readonly parts?: { readonly parts: number; readonly span: number };
  /** Takes the sums of a's rows, or zeros. */
  readonly rowSums?: { readonly to: View; readonly zero: boolean };
}

/** c[i, j] = bias[j] + Σ_k a[i · a_row + k · a_k] · b[j · b_column + k · b_k], in tiles of 16 × 16. */
export function productOnSubgroups(
  plan: Plan,
  { a, b, c }: Record<'a' | 'b' | 'c', View>,
  product: Product,
  { bias, relu = false, statistics, parts = { parts: 1, span: product.depth }, rowSums }: ProductOptions = {},
): void {
  const { rows, columns } = product;
  plan.dispatch(
    kernel,
    // `unused` is written to in the place of `extra`, and what is written may not be read as well: a is the bias' stand-in.
    { a, b, bias: bias ?? a, c, extra: statistics ?? rowSums?.to ?? plan.gpu.unused },
    { ...product, span: parts.span },
    Math.ceil(rows / TILE) * Math.ceil(columns / TILE) * parts.parts,
    {
      BIAS: Number(bias !== undefined),
      RELU: Number(relu),
      STATISTICS: Number(statistics !== undefined),
      ROW_SUMS: Number(rowSums !== undefined),
      NO_BIAS: Number(rowSums?.zero ?? false),
    },
  );
}
