/** Node: WebGPU comes from the package `webgpu` (Dawn), shaders and data from files. */
import { freemem } from 'node:os';
import { hasVulkanLoader, softwareVulkan } from './node-swiftshader.ts';
import type { AdapterChoice, AdapterKind, FoundAdapter } from './types.ts';

export { waitFor } from './node-waiting.ts';
export { shaderText } from './shaders.ts';

/** Timestamps in nanoseconds as the GPU counts them, instead of rounded to 0.1 ms. */
const DAWN_OPTIONS = ['enable-dawn-features=allow_unsafe_apis', 'disable-dawn-features=timestamp_quantization'];

/**
 * Dawn's GPU objects, one for each set of Vulkan drivers. They must outlive every device made from them (when collected
 * early, the process crashes), and whoever opens devices again and again should not gather them.
 */
const instances = new Map<'installed' | 'swiftshader', GPU>();

/** Whether the shaders named `_subgroup` are there. */
export const HAS_SUBGROUP_SHADERS = true;

/**
 * Asks Dawn for an adapter. On Linux without a Vulkan driver the SwiftShader inside `@sparticuz/chromium` is used.
 * The environment variable NEUMF_ADAPTER=swiftshader asks for it even where another driver is installed.
 */
export async function requestAdapter(choice: AdapterChoice): Promise<FoundAdapter> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const request = (drivers: 'installed' | 'swiftshader'): Promise<GPUAdapter | null> => {
    const gpu = instances.get(drivers) ?? create(DAWN_OPTIONS);
    instances.set(drivers, gpu);
    return gpu.requestAdapter({ powerPreference: 'high-performance', forceFallbackAdapter: choice === 'software' });
  };
  const linux = process.platform === 'linux';
  const unavailable = process.env.NEUMF_ADAPTER === 'swiftshader' || (linux && !hasVulkanLoader());
  const adapter = unavailable ? null : await request('installed');
  if (adapter) return { adapter, hint: 'a GPU with its driver would be faster' };
  if (choice === 'hardware' || !linux) return { adapter, hint: DRIVER_HINT };
  const missing = softwareVulkan();
  if (missing) return { adapter: null, hint: missing };
  return {
    adapter: await request('swiftshader'),
    hint: 'the Debian and Ubuntu package mesa-vulkan-drivers (lavapipe) is several times faster, a GPU with its driver more so',
  };
}

/** Bytes that a device has left, of a CPU adapter those of this process; of a GPU nobody says. */
export function deviceMemory(kind: AdapterKind): number | null {
  return kind === 'software' ? (process.availableMemory?.() ?? freemem()) : null;
}

const DRIVER_HINT =
  process.platform === 'linux'
    ? 'a GPU driver with Vulkan is needed, or mesa-vulkan-drivers for a software adapter'
    : 'a current GPU driver is needed';
