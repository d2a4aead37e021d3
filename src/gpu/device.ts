import { deviceMemory, requestAdapter, waitFor } from '#platform';
import { DeviceLostError, GpuError, GpuOutOfMemoryError, NoAdapterError } from '../errors.ts';
import type { AdapterChoice, AdapterKind } from '../platform/types.ts';
import { adapterKind, adapterName } from './adapter.ts';
import { firstLine, typedError } from './device-errors.ts';
import { formatBytes } from './format.ts';
import { type Kernel, PipelineCache } from './kernel.ts';
import { checkBindable } from './limits.ts';
import { proveThatItComputes } from './probe.ts';
import { Readback } from './readback.ts';
import { UniformCache } from './uniforms.ts';
import { STORAGE } from './usage.ts';

/** What is taken of an adapter, where that is to be less than it offers. */
export interface Frugality {
  /** Bytes of one binding: larger embedding tables are split. */
  readonly bindingLimit?: number | undefined;
  /** Bytes of a model and its optimizer. */
  readonly memory?: number | undefined;
}

export interface OpenOptions extends Frugality {
  /** `hardware` refuses software adapters, `software` asks for one; default `auto`: the best there is. */
  readonly adapter?: AdapterChoice;
}

/** How many objects were made so far: a training loop in its steady state makes none. */
export interface Counters {
  buffers: number;
  bindGroups: number;
  submits: number;
}

/** What goes wrong on a lost device may be heard of a moment before its loss is. */
const LOSS_FOLLOWS_MS = 500;

/**
 * An opened device: the one owner of pipelines and buffers, and the one place where device loss, uncaptured errors and
 * out-of-memory arrive. They are kept and thrown by the next `check()`, `read()` or `idle()`.
 */
export class Gpu {
  readonly device: GPUDevice;
  readonly limits: GPUSupportedLimits;
  /** The adapter's description, e.g. `llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)`. */
  readonly adapterName: string;
  readonly adapterKind: AdapterKind;
  /** Bytes of a storage binding at most. */
  readonly bindingLimit: number;
  /** What would make a software adapter faster; empty otherwise. */
  readonly hint: string;
  readonly counters: Counters = { buffers: 0, bindGroups: 0, submits: 0 };
  readonly pipelines: PipelineCache;
  readonly uniforms: UniformCache;
  /** Fills a binding that a variant of a kernel does not use. */
  readonly unused: GPUBufferBinding;
  readonly #largestBinding: number;
  readonly #memory: number | undefined;
  readonly #readback: Readback;
  /** How it was opened; null for a device that belongs to someone else. */
  readonly #opened: OpenOptions | null;
  /** Ends those who wait for the device. */
  readonly #waiting = new Set<(error: GpuError) => void>();
  readonly #onError = (event: GPUUncapturedErrorEvent) => {
    event.preventDefault(); // or it would be printed besides
    this.#fail(typedError(event.error));
  };
  #failure: GpuError | null = null;
  /** What is said to those who use it after `close()`. */
  #closed: GpuError | null = null;

  /** Opens a device. Throws NoAdapterError when there is none, or only one that computes nothing. */
  static async open(options: OpenOptions = {}): Promise<Gpu> {
    const choice = options.adapter ?? 'auto';
    const { adapter, hint } = await requestAdapter(choice);
    if (!adapter) throw new NoAdapterError(`no WebGPU adapter (asked for: ${choice}); ${hint}`);
    const kind = adapterKind(adapter.info);
    if (choice !== 'auto' && choice !== kind) {
      throw new NoAdapterError(
        `asked for a ${choice} adapter, found ${adapterName(adapter.info)}, a ${kind} one; ${hint}`,
      );
    }
    const { limits } = adapter;
    const asked = adapter.requestDevice({
      label: 'neumf-webgpu',
      requiredFeatures: (['timestamp-query', 'subgroups'] as const).filter((feature) => adapter.features.has(feature)),
      requiredLimits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      },
    });
    const device = await asked.catch((error: Error) => {
      throw new GpuError(`${adapterName(adapter.info)} gives no device: ${firstLine(error.message)}`);
    });
    const gpu = new Gpu(device, adapter.info, kind === 'software' ? hint : '', options, options);
    await proveThatItComputes(gpu);
    return gpu;
  }

  /**
   * Opens another device as this one was opened, on the same adapter. Throws NoAdapterError when there is none, or only
   * another one, which would train to other bits and perhaps very slowly.
   */
  async reopen(): Promise<Gpu> {
    if (!this.#opened) throw new GpuError('this Gpu was borrowed: its owner opens the next one');
    const gpu = await Gpu.open(this.#opened);
    if (gpu.adapterName === this.adapterName) return gpu;
    gpu.close();
    throw new NoAdapterError(`${this.adapterName} is gone; there is only ${gpu.adapterName}`);
  }

  /** Uses a device that belongs to someone else: it is never destroyed here. */
  static async borrow(device: GPUDevice, frugality: Frugality = {}): Promise<Gpu> {
    const gpu = new Gpu(device, device.adapterInfo, '', null, frugality);
    await proveThatItComputes(gpu);
    return gpu;
  }

  private constructor(
    device: GPUDevice,
    info: GPUAdapterInfo,
    hint: string,
    opened: OpenOptions | null,
    { bindingLimit = Number.POSITIVE_INFINITY, memory }: Frugality,
  ) {
    this.device = device;
    this.limits = device.limits;
    this.adapterName = adapterName(info);
    this.adapterKind = adapterKind(info);
    this.#largestBinding = Math.min(this.limits.maxBufferSize, this.limits.maxStorageBufferBindingSize);
    this.bindingLimit = Math.min(bindingLimit, this.#largestBinding);
    this.#memory = memory;
    this.hint = hint;
    this.#opened = opened;
    this.pipelines = new PipelineCache(this);
    this.uniforms = new UniformCache(this);
    this.#readback = new Readback(this);
    this.unused = { buffer: this.createBuffer('unused', 16), offset: 0, size: 16 };
    device.addEventListener('uncapturederror', this.#onError as EventListener);
    void device.lost.then(({ reason, message }) => {
      if (this.#closed) return;
      const [whose, advice] = opened ? ['', ''] : ['borrowed ', '; its owner must open another one'];
      const error = new DeviceLostError(`the ${whose}GPU device was lost (${reason}): ${firstLine(message)}${advice}`);
      this.#failure = error; // also instead of what it complained of before
      for (const end of this.#waiting) end(error);
    });
  }

  /** Whether the device belongs to someone else. */
  get borrowed(): boolean {
    return this.#opened === null;
  }

  /** Lanes of a subgroup where they are the same for every shader and the device has subgroups, else 0. */
  get subgroupSize(): number {
    if (!this.device.features.has('subgroups')) return 0;
    const { subgroupMinSize, subgroupMaxSize } = this.device.adapterInfo;
    return subgroupMinSize === subgroupMaxSize ? subgroupMinSize : 0;
  }

  /** Bytes that there are for a model and its optimizer, where the platform says so. */
  get memory(): number | null {
    return this.#memory ?? deviceMemory(this.adapterKind);
  }

  get timestamps(): boolean {
    return this.device.features.has('timestamp-query');
  }

  /** A zero-filled buffer. Throws GpuOutOfMemoryError when it is larger than the adapter's limit. */
  createBuffer(label: string, bytes: number, usage = STORAGE): GPUBuffer {
    const limit = this.limits.maxBufferSize;
    if (bytes > limit) {
      throw new GpuOutOfMemoryError(
        `${label} needs ${formatBytes(bytes)}, and ${this.adapterName} allows ${formatBytes(limit)} in one buffer`,
      );
    }
    this.counters.buffers++;
    // WebGPU wants sizes in multiples of 4 bytes, and an empty binding is not allowed.
    return this.device.createBuffer({ label, size: Math.max(4, Math.ceil(bytes / 4) * 4), usage });
  }

  /** Throws ConfigError for a binding that is larger than the adapter allows. */
  bindGroup(kernel: Kernel, entries: GPUBindGroupEntry[]): GPUBindGroup {
    for (const { resource } of entries) {
      const { buffer, size = 0 } = resource as GPUBufferBinding;
      if (size > this.#largestBinding) checkBindable(this, buffer.label, size);
    }
    this.counters.bindGroups++;
    return this.device.createBindGroup({ label: kernel.name, layout: this.pipelines.layout(kernel), entries });
  }

  write(buffer: GPUBuffer, offset: number, data: ArrayBufferView<ArrayBuffer>): void {
    this.device.queue.writeBuffer(buffer, offset, data);
  }

  submit(commands: GPUCommandBuffer): void {
    this.check();
    this.counters.submits++;
    this.device.queue.submit([commands]);
  }

  /**
   * Submits what `encode` returns, and resolves when the device has said whether it takes that. What it refuses of other
   * submits arrives on its own, in a browser perhaps behind the results of later ones.
   */
  async submitChecked(encode: () => GPUCommandBuffer): Promise<void> {
    const { error } = await this.#heard('validation', () => this.submit(encode()));
    if (error) this.#fail(error);
  }

  /** Makes buffers, and resolves when the device has said whether it has the memory. Throws GpuOutOfMemoryError. */
  async allocate<T>(make: () => T): Promise<T> {
    const { made, error } = await this.#heard('out-of-memory', make);
    this.#failure = error ?? this.#failure; // also instead of what it said of buffers that it had no memory for
    this.check();
    return made;
  }

  /** What `body` gives, and what the device had against it. */
  async #heard<T>(filter: GPUErrorFilter, body: () => T): Promise<{ made: T; error: GpuError | null }> {
    this.device.pushErrorScope(filter);
    let refusal: Promise<GPUError | null>;
    let made: T;
    try {
      made = body();
    } finally {
      refusal = this.device.popErrorScope();
      refusal.catch(() => {}); // nobody awaits it where the body threw
    }
    const error = await this.wait(refusal);
    return { made, error: error && typedError(error) };
  }

  /** Copies bytes back to the CPU once all submitted work before is done. The only way back. */
  async read(view: GPUBufferBinding): Promise<ArrayBuffer> {
    this.check();
    return this.#readback.read(view);
  }

  /** Resolves when all submitted work is done; throws what went wrong meanwhile. */
  async idle(): Promise<void> {
    await this.wait(this.device.queue.onSubmittedWorkDone());
    this.check();
  }

  /**
   * Awaits something that the device promised, in the way that makes it come soonest on this platform. Throws
   * DeviceLostError as soon as the device is lost, whatever becomes of the promise.
   */
  async wait<T>(promise: Promise<T>): Promise<T> {
    try {
      return await waitFor(this.#unlessLost(promise), this);
    } catch (error) {
      throw await this.causeOf(error);
    }
  }

  /** What is behind an error: the loss of the device, also where that is heard of only now, or what it reported before. */
  async causeOf(error: unknown): Promise<unknown> {
    if (!(this.#failure instanceof DeviceLostError) && !this.#closed) {
      await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, LOSS_FOLLOWS_MS))]);
    }
    const told = error instanceof Error && error.cause === this.#failure; // and says more than the device did
    return told ? error : (this.#failure ?? error);
  }

  /** A race with `device.lost` itself would stay in memory for as long as the device lives, once for every wait. */
  #unlessLost<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      promise.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }

  /** Throws the first error that the device reported, if any, or that it was closed. */
  check(): void {
    const error = this.#failure ?? this.#closed;
    if (error) throw error;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = new GpuError('this Gpu was closed');
    this.device.removeEventListener('uncapturederror', this.#onError as EventListener);
    for (const end of this.#waiting) end(this.#closed);
    if (this.#opened) this.device.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #fail(error: GpuError): void {
    this.#failure ??= error;
  }
}
