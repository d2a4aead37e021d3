import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, type View } from './launch.ts';

const lossKernel = defineKernel({
  name: 'in_batch_softmax',
  params: { rows: 'u32', scale: 'f32' },
  bindings: { logits: 'read', items: 'read', logQ: 'read', losses: 'write', rowValues: 'write' },
  constants: ['WG'],
});
const gradKernel = defineKernel({
  name: 'in_batch_softmax_grad',
  params: { rows: 'u32', scale: 'f32' },
  bindings: { logits: 'read', items: 'read', logQ: 'read', rowValues: 'read', dy: 'read', gradient: 'write' },
});

/** Rows of a workgroup in in_batch_softmax, and of a thread in in_batch_softmax_grad. */
const ROWS = 8;
/** Threads of its workgroups: one a row on a CPU adapter, where waiting for each other costs more than it saves. */
export const SOFTMAX_THREADS = { software: ROWS, hardware: 256 } as const;

export interface SoftmaxSize {
  /** Samples of the batch: rows and columns of the logits. */
  readonly rows: number;
  /** Times the logits: 1 / temperature. */
  readonly scale: number;
}

/** Each sample's cross-entropy, f32[rows], and what in_batch_softmax_grad needs of its row, vec4f[rows]. */
export function inBatchSoftmax(
  plan: Plan,
  views: Record<'logits' | 'items' | 'logQ' | 'losses' | 'rowValues', View>,
  { rows, scale }: SoftmaxSize,
  WG: number = SOFTMAX_THREADS[plan.gpu.adapterKind],
): void {
  plan.dispatch(lossKernel, views, { rows, scale }, groupsFor(rows, ROWS), { WG });
}

/** dy[0] times the gradient of the mean of those losses, f32[rows, rows]. */
export function inBatchSoftmaxGrad(
  plan: Plan,
  views: Record<'logits' | 'items' | 'logQ' | 'rowValues' | 'dy' | 'gradient', View>,
  { rows, scale }: SoftmaxSize,
): void {
  plan.dispatch(gradKernel, views, { rows, scale }, groupsFor(rows * Math.ceil(rows / ROWS)));
}
