/** The text of every shader's file by the shader's name; Vite brings it, as a browser has no files. */
export const SHADER_TEXTS: ReadonlyMap<string, string> = new Map(
  Object.entries(import.meta.glob<string>('../shaders/*.wgsl', { query: '?raw', import: 'default', eager: true })).map(
    ([path, text]) => [path.replace(/^.*\/|\.wgsl$/g, ''), text],
  ),
);
