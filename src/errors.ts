/** The typed errors of the library. Each message is one line: what was wrong, the value, and what would be right. */
import { printable } from './printable.ts';

/** Characters. A message quotes what a file has, and that may be endless. */
const LONGEST_MESSAGE = 2000;

/** A message may quote a stranger’s file: it stays one line that a terminal prints and does not obey. */
function oneLine(message: string): string {
  const text = printable(message.slice(0, LONGEST_MESSAGE + 1)); // what is shown instead of a character may be longer
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}…` : text;
}

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
  /** What needs how many bytes, a table in plain text; empty where that is not known. */
  readonly plan: string;

  constructor(message: string, { plan = '', ...options }: ErrorOptions & { readonly plan?: string } = {}) {
    super(message, options);
    this.plan = plan;
  }
}

/** The device went away: driver reset, tab in the background, `device.destroy()`. Nothing on it can be read any more. */
export class DeviceLostError extends GpuError {
  override name = 'DeviceLostError';
}

/** A setting that cannot work: names the setting, its value and what would be right. */
export class ConfigError extends Error {
  override name = 'ConfigError';

  constructor(message: string, options?: ErrorOptions) {
    super(oneLine(message), options);
  }
}

/** Data that cannot be read: names the file and line, the value and what would be right. */
export class DataError extends Error {
  override name = 'DataError';

  constructor(message: string, options?: ErrorOptions) {
    super(oneLine(message), options);
  }
}

/** Training left the numbers: a loss, a norm or a weight that is infinite or not a number. Says in which step. */
export class NonFiniteError extends Error {
  override name = 'NonFiniteError';
  /** Training steps of the run up to the one that went wrong, which is the last of them. */
  readonly step: number;
  /** 1 for the first. */
  readonly epoch: number;
  /** Learning rate of the epoch. */
  readonly lr: number;
  /** The batch of that step, row by row: users and items by their numbers in the data. */
  readonly users: Uint32Array;
  readonly items: Uint32Array;
  /** 1 for a positive, 0 for a negative. */
  readonly labels: Float32Array;

  constructor(message: string, { step, epoch, lr, users, items, labels }: NonFinite) {
    super(message);
    this.step = step;
    this.epoch = epoch;
    this.lr = lr;
    this.users = users;
    this.items = items;
    this.labels = labels;
  }
}

/** Where training left the numbers. */
export type NonFinite = Pick<NonFiniteError, 'step' | 'epoch' | 'lr' | 'users' | 'items' | 'labels'>;
