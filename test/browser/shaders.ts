/** Stands in a page for src/platform/shaders.ts, which reads files. */
import { SHADER_TEXTS } from '../shader-texts.ts';

/** WGSL text of `shaders/<name>.wgsl`. */
export const shaderText = (name: string): string => SHADER_TEXTS.get(name)!;
