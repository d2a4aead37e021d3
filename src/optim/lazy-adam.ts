import { RowAdam } from './row-adam.ts';

/**
 * Lazy Adam (torch.optim.SparseAdam on embedding tables, TensorFlow's LazyAdam): a step leaves the rows that its batch does
 * not look up as they are, weights and moments, so that they neither go on by momentum nor decay. It corrects bias by the
 * steps of all, and all other parameters take dense Adam. Unlike SparseAdam it has weight decay, and adds eps as
 * torch.optim.Adam does, to the corrected root of v.
 */
export class LazyAdam extends RowAdam {
  protected readonly catchesUp = false;
}
