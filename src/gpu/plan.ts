import type { Gpu } from './device.ts';
import type { Kernel, PipelineSlot } from './kernel.ts';

/** WebGPU allows this many workgroups in one dimension. */
const MAX_GROUPS = 65535;

export interface Dispatch {
  readonly label: string;
  readonly pipeline: PipelineSlot;
  readonly group: GPUBindGroup;
  readonly x: number;
  readonly y: number;
}

/** The workgroups of a dispatch: past 65,535 in a near-square grid, which the shader folds back into one index. */
export function grid(groups: number): [number, number] {
  if (groups <= MAX_GROUPS) return [groups, 1];
  const x = Math.ceil(Math.sqrt(groups));
  return [x, Math.ceil(groups / x)];
}

/** An ordered list of dispatches with their bind groups, recorded once and replayed without making anything new. */
export class Plan {
  readonly gpu: Gpu;
  readonly label: string;
  readonly dispatches: Dispatch[] = [];

  constructor(gpu: Gpu, label: string) {
    this.gpu = gpu;
    this.label = label;
  }

  /**
   * Appends one dispatch.
   * @param groups workgroups; zero appends nothing, as there is nothing to compute
   */
  dispatch<P extends string, B extends string, C extends string>(
    kernel: Kernel<P, B, C>,
    bindings: Readonly<Record<B, GPUBufferBinding>>,
    params: Readonly<Record<P, number>>,
    groups: number,
    constants?: Readonly<Partial<Record<C, number>>>,
  ): void {
    if (groups === 0) return;
    const { gpu } = this;
    const pipeline = gpu.pipelines.slot(kernel, (constants ?? {}) as Record<string, number>);
    const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: gpu.uniforms.slot(kernel, params) }];
    for (const name of Object.keys(kernel.bindings) as B[]) {
      const { buffer, offset = 0, size = buffer.size - offset } = bindings[name];
      entries.push({ binding: entries.length, resource: { buffer, offset, size } });
    }
    const [x, y] = grid(groups);
    this.dispatches.push({ label: pipeline.label, pipeline, group: gpu.bindGroup(kernel, entries), x, y });
  }

  /** Compiles all pipelines in parallel, without blocking the thread. Throws GpuValidationError. */
  async compile(): Promise<void> {
    await Promise.all(this.dispatches.map(({ pipeline }) => pipeline.compileAsync()));
  }

  encode(pass: GPUComputePassEncoder): void {
    let current: PipelineSlot | null = null;
    for (const { pipeline, group, x, y } of this.dispatches) {
      if (pipeline !== current) pass.setPipeline(pipeline.ready ?? pipeline.compile());
      current = pipeline;
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y);
    }
  }

  /** Replays the plan in one submit and one compute pass; each dispatch sees what those before it wrote. */
  run(times = 1): void {
    runPlans(this.gpu, this.label, (replay) => {
      for (let i = 0; i < times; i++) replay(this);
    });
  }
}

/** Encodes several plans, in the order in which `body` asks for them, into one submit. */
export function runPlans(gpu: Gpu, label: string, body: (replay: (plan: Plan) => void) => void): void {
  const encoder = gpu.device.createCommandEncoder({ label });
  const pass = encoder.beginComputePass({ label });
  body((plan) => plan.encode(pass));
  pass.end();
  gpu.submit(encoder.finish());
}
