import type { Gpu } from './device.ts';
import type { Kernel } from './kernel.ts';
import { COPY_DST, UNIFORM } from './usage.ts';

const PAGE_BYTES = 65536;
const SLOT_BYTES = 256; // the largest minUniformBufferOffsetAlignment that WebGPU permits

/**
 * Kernel parameters, shared by content: two dispatches with the same numbers use the same 256 bytes, so that
 * experiments that repeat a shape make no new buffers.
 */
export class UniformCache {
  readonly #gpu: Gpu;
  readonly #slots = new Map<string, GPUBufferBinding>();
  #page: GPUBuffer | null = null;
  #used = PAGE_BYTES;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  slot(kernel: Kernel, values: Readonly<Record<string, number>>): GPUBufferBinding {
    const members = Object.entries(kernel.params);
    const words = new Uint32Array(Math.max(1, members.length)); // an empty binding is not allowed
    const floats = new Float32Array(words.buffer);
    members.forEach(([name, type], i) => {
      if (type === 'u32') words[i] = values[name]!;
      else floats[i] = values[name]!;
    });
    const key = words.join();
    let slot = this.#slots.get(key);
    if (!slot) {
      if (this.#used === PAGE_BYTES) {
        this.#page = this.#gpu.createBuffer('uniforms', PAGE_BYTES, UNIFORM | COPY_DST);
        this.#used = 0;
      }
      slot = { buffer: this.#page!, offset: this.#used, size: words.byteLength };
      this.#used += SLOT_BYTES;
      this.#gpu.write(slot.buffer, slot.offset!, words);
      this.#slots.set(key, slot);
    }
    return slot;
  }
}
