/** How the library is bundled: for npm, and for the pages, which bundle entries of their own. */
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { shaderTexts } from './wgsl.ts';

const COMMON = {
  bundle: true,
  format: 'esm',
  target: 'esnext',
  logLevel: 'silent', // esbuild's errors are thrown with their text
  metafile: true,
  plugins: [shaderTexts],
} satisfies BuildOptions;

/** Entries by the name of their file in the folder; what two of them share, or one loads later, lies beside them. */
type Entries = Readonly<Record<string, string>>;
const IN_FOLDER = { splitting: true, sourcemap: true } satisfies BuildOptions;
const BROWSER = { platform: 'browser', conditions: ['browser'] } satisfies BuildOptions;

/** Bundles `entries` for Node into `outdir`; npm packages stay imports. */
export async function bundleForNode(entries: Entries, outdir: string): Promise<Metafile> {
  const node = { platform: 'node', packages: 'external', chunkNames: 'node-[name]-[hash]' } satisfies BuildOptions;
  return (await build({ ...COMMON, ...IN_FOLDER, ...node, entryPoints: { ...entries }, outdir })).metafile;
}

/** Bundles `entries` for browsers into `outdir`, minified. Throws when anything stays outside these files. */
export async function bundleInParts(entries: Entries, outdir: string): Promise<Metafile> {
  const browser = { ...BROWSER, minify: true, chunkNames: 'browser-[name]-[hash]' } satisfies BuildOptions;
  const { metafile } = await build({ ...COMMON, ...IN_FOLDER, ...browser, entryPoints: { ...entries }, outdir });
  refuseOutside(Object.values(entries), metafile);
  return metafile;
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
  const written = outfile !== undefined;
  const into = {
    outfile: outfile ?? 'memory.js',
    minify: written,
    sourcemap: written,
    write: written,
    define: { ...constants },
  };
  const { metafile, outputFiles } = await build({ ...COMMON, ...BROWSER, ...into, entryPoints: [entry] });
  refuseOutside([entry], metafile);
  return written ? readFileSync(resolve(outfile), 'utf8') : outputFiles![0]!.text;
}

function refuseOutside(entries: readonly string[], { outputs }: Metafile): void {
  const outside = Object.values(outputs).flatMap(({ imports }) => imports.filter(({ external }) => external));
  if (outside.length > 0) {
    const of = entries.map((entry) => relative('.', entry)).join(', ');
    throw new Error(
      `${of}: a browser has no ${outside.map(({ path }) => path).join(', ')}; reach it through #platform`,
    );
  }
}

/** `file` and those of `outputs` that are loaded with it: what it imports, but not what it asks for later. */
export function loadedWith(file: string, outputs: Metafile['outputs'], found: string[] = []): string[] {
  if (found.includes(file)) return found;
  found.push(file);
  for (const { path, kind, external } of outputs[file]!.imports) {
    if (kind === 'import-statement' && !external) loadedWith(path, outputs, found);
  }
  return found;
}
