import type { Gpu } from './device.ts';
import { COPY_DST, MAP_READ } from './usage.ts';

/** Staging buffers for reading back, reused: asking for the loss a few times a second makes no new buffer. */
export class Readback {
  readonly #gpu: Gpu;
  readonly #free: GPUBuffer[] = [];

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  async read({ buffer, offset = 0, size = buffer.size - offset }: GPUBufferBinding): Promise<ArrayBuffer> {
    if (size === 0) return new ArrayBuffer(0);
    const gpu = this.#gpu;
    const fitting = this.#free.findIndex((candidate) => candidate.size >= size);
    const staging = fitting >= 0 ? this.#free.splice(fitting, 1)[0]! : this.#create(size);
    const taken = gpu.submitChecked(() => {
      const encoder = gpu.device.createCommandEncoder({ label: 'readback' });
      encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
      return encoder.finish();
    });
    const copied = Promise.all([taken, staging.mapAsync(MAP_READ, 0, size)]);
    // In the same turn: a device that is lost takes the mapping away.
    const copy = await gpu.wait(copied.then(() => staging.getMappedRange(0, size).slice(0)));
    staging.unmap();
    this.#free.push(staging);
    gpu.check();
    return copy;
  }

  /** Sizes are rounded up to powers of two, so that a few buffers serve all reads. */
  #create(size: number): GPUBuffer {
    const bytes = Math.max(256, 2 ** Math.ceil(Math.log2(size)));
    return this.#gpu.createBuffer('readback', Math.min(bytes, this.#gpu.limits.maxBufferSize), MAP_READ | COPY_DST);
  }
}
