import { HAS_SUBGROUP_SHADERS } from '#platform';
import type { Gpu } from '../gpu/device.ts';

/** What a kernel reads or writes: part of a buffer. */
export type View = GPUBufferBinding;

/** Some rows of a table, in one binding; a table that is not split is one shard. */
export interface Shard {
  /** The table's row that comes first. */
  readonly first: number;
  readonly rows: number;
  readonly view: View;
}

/** The one shard of a table that is not split. */
export const unsplit = (rows: number, view: View): readonly Shard[] => [{ first: 0, rows, view }];

/** Workgroup size of the element-wise kernels; the shaders' default. */
export const THREADS = 64;

/** Workgroups for `threads` threads. */
export function groupsFor(threads: number, size = THREADS): number {
  return Math.ceil(threads / size);
}

/**
 * Workgroup size of the matrix products. A CPU adapter hands whole workgroups to its cores, so that small layers need
 * small groups to keep two cores busy; a GPU wants at least a subgroup.
 */
export function productThreads(gpu: Gpu): number {
  return gpu.adapterKind === 'software' ? 16 : 64;
}

/** Lanes of the subgroups that the shaders named `_subgroup` are written for. */
export const LANES = 8;

/** Whether the adapter's subgroups are those, and the shaders at hand. */
export const runsOnSubgroups = ({ subgroupSize }: Gpu): boolean => HAS_SUBGROUP_SHADERS && subgroupSize === LANES;
