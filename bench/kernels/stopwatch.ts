import type { Gpu } from '../../src/gpu/device.ts';
import { COPY_SRC } from '../../src/gpu/usage.ts';

const QUERY_RESOLVE = 0x200; // GPUBufferUsage.QUERY_RESOLVE

/**
 * Times one submit. Compute passes are timed by timestamp queries at their two ends, which leave out the host:
 * encoding, and waking up when all is done. Adapters without timestamps, and commands outside of passes, are timed by
 * the host's clock from the submit until the queue is empty, which has to be so before.
 */
export class Stopwatch {
  readonly gpu: Gpu;
  readonly #querySet: GPUQuerySet | null = null;
  readonly #stamps: GPUBuffer | null = null;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    if (!gpu.timestamps) return;
    this.#querySet = gpu.device.createQuerySet({ label: 'stopwatch', type: 'timestamp', count: 2 });
    this.#stamps = gpu.createBuffer('stopwatch', 16, QUERY_RESOLVE | COPY_SRC);
  }

  /** What passes are timed by. */
  get clock(): string {
    return this.#querySet ? 'timestamp queries' : 'the host’s clock';
  }

  /** Microseconds from the beginning to the end of a compute pass. */
  async pass(body: (pass: GPUComputePassEncoder) => void): Promise<number> {
    const querySet = this.#querySet;
    const stamps = this.#stamps;
    const onHost = await this.commands((encoder) => {
      const timestampWrites = querySet && { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
      const pass = encoder.beginComputePass({ label: 'stopwatch', ...(timestampWrites && { timestampWrites }) });
      body(pass);
      pass.end();
      if (querySet && stamps) encoder.resolveQuerySet(querySet, 0, 2, stamps, 0);
    });
    if (!stamps) return onHost;
    const [begin, end] = new BigUint64Array(await this.gpu.read({ buffer: stamps }));
    return Number(end! - begin!) / 1000;
  }

  /** Microseconds from the submit until all is done. */
  async commands(body: (encoder: GPUCommandEncoder) => void): Promise<number> {
    const encoder = this.gpu.device.createCommandEncoder({ label: 'stopwatch' });
    body(encoder);
    const commands = encoder.finish();
    const start = performance.now();
    this.gpu.submit(commands);
    await this.gpu.idle();
    return (performance.now() - start) * 1000;
  }
}
