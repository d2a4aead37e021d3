import { ConfigError } from '../errors.ts';
import type { Gpu } from './device.ts';
import { formatBytes } from './format.ts';

/** Throws ConfigError when something of this size cannot be one storage binding on this adapter. */
export function checkBindable(gpu: Gpu, what: string, bytes: number): void {
  const limit = gpu.bindingLimit;
  if (bytes <= limit) return;
  throw new ConfigError(
    `${what} needs ${formatBytes(bytes)} (${bytes} bytes), and ${gpu.adapterName} allows ${formatBytes(limit)} (${limit} bytes) in one binding`,
  );
}
