/** What every platform offers the engine. */

export type AdapterChoice = 'auto' | 'hardware' | 'software';

export interface FoundAdapter {
  readonly adapter: GPUAdapter | null;
  /** What the user can do about a missing or slow adapter; empty when there is nothing to say. */
  readonly hint: string;
}
