/** How the library is bundled: for npm, and for the test pages, which bundle an entry of their own. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const SHADERS = fileURLToPath(new URL('../shaders/', import.meta.url));

/** WGSL without comments, indentation and empty lines; it has no strings that could hold any of them. */
export function stripWgsl(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ' ').replace(/^\s+|[ \t]+$/gm, '');
}

/** Puts every shader's text into the bundle, in place of src/platform/shaders.ts, which reads files. */
const shaderTexts: Plugin = {
  name: 'shader-texts',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/]platform[\\/]shaders\.ts$/ }, () => {
      const files = readdirSync(SHADERS).filter((file) => file.endsWith('.wgsl'));
      const texts = files.map((file) => [basename(file, '.wgsl'), stripWgsl(readFileSync(SHADERS + file, 'utf8'))]);
      return {
        contents: `import { GpuError } from '../errors.ts';
          const texts = new Map(${JSON.stringify(texts)});
          export function shaderText(name) {
            const text = texts.get(name);
            if (text === undefined) throw new GpuError(\`no shader "\${name}": this build has \${[...texts.keys()].join(', ')}\`);
            return text;
          }`,
        loader: 'js',
        resolveDir: fileURLToPath(new URL('../src/platform/', import.meta.url)),
        watchDirs: [SHADERS],
      };
    });
  },
};

const COMMON: BuildOptions = {
  bundle: true,
  format: 'esm',
  target: 'esnext',
  sourcemap: true,
  logLevel: 'silent', // esbuild's errors are thrown with their text
  plugins: [shaderTexts],
};

/** Bundles `entry` for Node into `outfile`; npm packages stay imports. @param firstLine what a program begins with */
export async function bundleForNode(entry: string, outfile: string, firstLine = ''): Promise<void> {
  const banner = { js: firstLine };
  await build({ ...COMMON, entryPoints: [entry], outfile, platform: 'node', packages: 'external', banner });
}

/**
 * Bundles `entry` for browsers into one module that imports nothing, and returns its text.
 * With an `outfile` it is minified and written there with its source map. Throws when anything stays outside the bundle.
 * @param constants expressions that stand for names, e.g. `{ navigator: '{}' }`
 */
export async function bundleForBrowser(
  entry: string,
  outfile?: string,
  constants: Readonly<Record<string, string>> = {},
): Promise<string> {
  const result = await build({
    ...COMMON,
    entryPoints: [entry],
    outfile: outfile ?? 'memory.js',
    minify: outfile !== undefined,
    sourcemap: outfile !== undefined,
    platform: 'browser',
    conditions: ['browser'],
    define: { ...constants },
    write: outfile !== undefined,
    metafile: true,
  });
  const outside = Object.values(result.metafile.outputs).flatMap(({ imports }) => imports.filter((i) => i.external));
  if (outside.length > 0) {
    throw new Error(`${entry}: a browser has no ${outside.map((i) => i.path).join(', ')}; reach it through #platform`);
  }
  return outfile === undefined ? result.outputFiles![0].text : readFileSync(resolve(outfile), 'utf8');
}
