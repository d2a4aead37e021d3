/** What every platform offers the engine. */

export type AdapterKind = 'hardware' | 'software';
export type AdapterChoice = 'auto' | AdapterKind;

/** Whose work is waited for. */
export interface Waited {
  readonly device: GPUDevice;
  readonly adapterKind: AdapterKind;
}

export interface FoundAdapter {
  readonly adapter: GPUAdapter | null;
  /** What the user can do about a missing or slow adapter; empty when there is nothing to say. */
  readonly hint: string;
}
