/** The text of the shaders, from files. `npm run build` puts a module with all of them inside in this one's place. */
import { readFileSync } from 'node:fs';
import { GpuError } from '../errors.ts';

/** WGSL text of `shaders/<name>.wgsl`. Throws GpuError when there is no such shader. */
export function shaderText(name: string): string {
  try {
    return readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), 'utf8');
  } catch (cause) {
    throw new GpuError(`no shader "${name}": shaders/${name}.wgsl cannot be read`, { cause });
  }
}
