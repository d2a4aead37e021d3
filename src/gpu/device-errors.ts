import { GpuError, GpuOutOfMemoryError, GpuValidationError } from '../errors.ts';

/** What the device reports, as an error of this library. */
export function typedError(error: GPUError): GpuError {
  const message = firstLine(error.message);
  const kind = error.constructor.name;
  if (kind === 'GPUOutOfMemoryError') return new GpuOutOfMemoryError(`the GPU is out of memory: ${message}`);
  if (kind === 'GPUValidationError') return new GpuValidationError(`WebGPU refused a command: ${message}`);
  return new GpuError(`the GPU driver failed: ${message}`);
}

/** The first line of what a driver says. */
export function firstLine(message: string): string {
  return message.trim().split('\n')[0] ?? '';
}
