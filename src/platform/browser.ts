/** Browsers: WebGPU is `navigator.gpu`; the build puts the shaders into the bundle. */
import type { AdapterChoice, FoundAdapter } from './types.ts';

export { waitFor } from './browser-waiting.ts';
export { shaderText } from './shaders.ts';

/** Subgroups of eight lanes on a CPU adapter: no browser comes with one, so that the build leaves their shaders out. */
export const HAS_SUBGROUP_SHADERS = false;

export async function requestAdapter(choice: AdapterChoice): Promise<FoundAdapter> {
  if (!navigator.gpu) {
    return { adapter: null, hint: 'this browser has no WebGPU, or the page is neither https nor localhost' };
  }
  const adapter = await navigator.gpu.requestAdapter({
    powerPreference: 'high-performance',
    forceFallbackAdapter: choice === 'software',
  });
  return { adapter, hint: 'hardware acceleration may be off, or the GPU may be on the browser’s block list' };
}

/** Browsers do not say how much memory a device has. */
export function deviceMemory(): number | null {
  return null;
}
