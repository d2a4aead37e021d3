/** The typed errors of the library. Each message is one line: what was wrong, the value, and what would be right. */

/** Anything that the GPU, its driver or WebGPU refused or lost. */
export class GpuError extends Error {
  override name = 'GpuError';
}

/** No usable adapter: no driver, no WebGPU in this browser, or only the null backend, which computes nothing. */
export class NoAdapterError extends GpuError {
  override name = 'NoAdapterError';
}

/** A command that WebGPU rejected (validation), reported by the device's `uncapturederror` event. */
export class GpuValidationError extends GpuError {
  override name = 'GpuValidationError';
}

/** The adapter has no memory left, or a buffer is larger than its limits allow. */
export class GpuOutOfMemoryError extends GpuError {
  override name = 'GpuOutOfMemoryError';
}

/** The device went away: driver reset, tab in the background, `device.destroy()`. Nothing on it can be read any more. */
export class DeviceLostError extends GpuError {
  override name = 'DeviceLostError';
}

/** A setting that cannot work: names the setting, its value and what would be right. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Data that cannot be read: names the file and line, the value and what would be right. */
export class DataError extends Error {
  override name = 'DataError';
}

/** Training left the numbers: a loss that is infinite or not a number. Says at which step. */
export class NonFiniteError extends Error {
  override name = 'NonFiniteError';
}
