import { shaderText } from '#platform';
import { GpuError, GpuValidationError } from '../errors.ts';
import type { Gpu } from './device.ts';

/** `uniform` parameters come first, at binding 0; storage bindings follow in the order they are declared. */
export type Access = 'read' | 'write';
export type Scalar = 'u32' | 'f32';

/** What the TypeScript twin of a shader declares. */
export interface Kernel<P extends string = string, B extends string = string, C extends string = string> {
  /** The shader's file name without .wgsl, also its label in errors and profiles; unique among the kernels of a Gpu. */
  readonly name: string;
  /** The shader's WGSL, for kernels of your own; without it shaders/<name>.wgsl is taken. */
  readonly code?: string;
  /** The members of the shader's `Params` struct, in its order; all scalars. */
  readonly params: Readonly<Record<P, Scalar>>;
  /** The storage bindings 1, 2, …; `write` is read_write in WGSL. */
  readonly bindings: Readonly<Record<B, Access>>;
  /** The shader's override constants that a dispatch may set. */
  readonly constants?: readonly C[];
}

/** What a bundler reads here: a kernel that nothing dispatches may be left out. @__NO_SIDE_EFFECTS__ */
export function defineKernel<P extends string, B extends string, C extends string = never>(
  kernel: Kernel<P, B, C>,
): Kernel<P, B, C> {
  return kernel;
}

/** A pipeline that is being compiled, or is ready. */
export interface PipelineSlot {
  ready: GPUComputePipeline | null;
  readonly label: string;
  /** Compiles now, on this thread. */
  compile(): GPUComputePipeline;
  /** Compiles without blocking; many slots compile in parallel. */
  compileAsync(): Promise<void>;
}

/** One pipeline for each kernel and set of constants, one layout and module for each kernel. */
export class PipelineCache {
  readonly #gpu: Gpu;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #slots = new Map<string, PipelineSlot>();

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  layout(kernel: Kernel): GPUBindGroupLayout {
    let layout = this.#layouts.get(kernel.name);
    if (!layout) {
      const storage = Object.values(kernel.bindings).map((access, i) => ({
        binding: i + 1,
        visibility: COMPUTE,
        buffer: { type: access === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
      }));
      const entries: GPUBindGroupLayoutEntry[] = [
        { binding: 0, visibility: COMPUTE, buffer: { type: 'uniform' } },
        ...storage,
      ];
      layout = this.#gpu.device.createBindGroupLayout({ label: kernel.name, entries });
      this.#layouts.set(kernel.name, layout);
    }
    return layout;
  }

  slot(kernel: Kernel, constants: Readonly<Record<string, number>>): PipelineSlot {
    const set = Object.entries(constants);
    const label = set.length ? `${kernel.name}(${set.map(([k, v]) => `${k}=${v}`).join(',')})` : kernel.name;
    let slot = this.#slots.get(label);
    if (!slot) {
      slot = this.#newSlot(kernel, constants, label);
      this.#slots.set(label, slot);
    }
    return slot;
  }

  #newSlot(kernel: Kernel, constants: Readonly<Record<string, number>>, label: string): PipelineSlot {
    const gpu = this.#gpu;
    const { device } = gpu;
    const descriptor = (): GPUComputePipelineDescriptor => ({
      label,
      layout: device.createPipelineLayout({ label, bindGroupLayouts: [this.layout(kernel)] }),
      compute: { module: this.#module(kernel), constants: { ...constants } },
    });
    let pending: Promise<void> | null = null;
    return {
      ready: null,
      label,
      compile() {
        this.ready ??= device.createComputePipeline(descriptor());
        return this.ready;
      },
      compileAsync() {
        if (this.ready) return Promise.resolve();
        pending ??= gpu.wait(device.createComputePipelineAsync(descriptor())).then(
          (pipeline) => {
            this.ready ??= pipeline;
          },
          (error: unknown) => {
            if (error instanceof GpuError) throw error;
            throw new GpuValidationError(
              `kernel ${label} does not compile: ${error instanceof Error ? error.message : error}`,
            );
          },
        );
        return pending;
      },
    };
  }

  #module(kernel: Kernel): GPUShaderModule {
    let module = this.#modules.get(kernel.name);
    if (!module) {
      module = this.#gpu.device.createShaderModule({
        label: kernel.name,
        code: kernel.code ?? shaderText(kernel.name),
      });
      this.#modules.set(kernel.name, module);
    }
    return module;
  }
}

const COMPUTE = 0x4; // GPUShaderStage.COMPUTE
