import type { Tensor } from './tensor.ts';

/** The embedding tables of one branch of a model: rows of users and of items, equally wide. */
export interface Branch {
  readonly users: Tensor;
  readonly items: Tensor;
}

/** The tables of a model's branches; a model without one of them has null. */
export interface Tables {
  readonly gmf: Branch | null;
  readonly mlp: Branch | null;
}

/** What a batch looks up. */
export interface Rows {
  /** f32[2 · rows, dim]: the users' rows of all samples, then the items'; null without GMF. */
  readonly gmf: Tensor | null;
  /** f32[rows, 2 · dim]: of each sample the user's row and the item's side by side; null without an MLP. */
  readonly mlp: Tensor | null;
}
