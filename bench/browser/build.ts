/** The page as one folder that any file server can host. */
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleForBrowser } from '../bundle.ts';

const HERE = import.meta.dirname;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The scripts, and what stands for names in them. */
const SCRIPTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // uPlot formats for navigator.language as it loads; it is given that of the page's other figures, in every browser.
  main: { navigator: '{ "language": "en-US" }' },
  worker: {},
  'map-worker': {},
};

/** Writes the page into `folder`, which is emptied first. */
export async function buildPage(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, constants] of Object.entries(SCRIPTS)) {
    await bundleForBrowser(join(HERE, `${name}.ts`), join(folder, `${name}.js`), constants);
  }
  const styles = { entryPoints: [join(HERE, 'page.css')], outfile: join(folder, 'page.css') };
  await build({ ...styles, bundle: true, minify: true, logLevel: 'silent' });
  cpSync(join(HERE, 'page.html'), join(folder, 'index.html'));
  cpSync(join(ROOT, 'bench', 'data', 'online-retail.tsv.gz'), join(folder, 'online-retail.tsv.gz'));
  writeFileSync(join(folder, 'licences.txt'), licences(folder));
}

/** Licences ask to travel with every copy: this program's, those of the packages in the bundles, the data's. */
function licences(folder: string): string {
  const packages = new Set<string>();
  for (const name of Object.keys(SCRIPTS)) {
    const map = join(folder, `${name}.js.map`);
    for (const source of JSON.parse(readFileSync(map, 'utf8')).sources as string[]) {
      const [, inside] = source.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/) ?? [];
      if (inside !== undefined) packages.add(inside);
    }
  }
  const texts = [...packages].sort().map((name) => `${name}\n\n${licenceOf(join(ROOT, 'node_modules', name))}`);
  const data = readFileSync(join(ROOT, 'bench', 'data', 'README.md'), 'utf8');
  return [`neumf-webgpu\n\n${licenceOf(ROOT)}`, ...texts, data].join(`\n${'-'.repeat(80)}\n\n`);
}

/** Throws when a package has no licence file. */
function licenceOf(folder: string): string {
  const [file] = globSync(join(folder, 'LICEN[CS]E*'));
  if (!file) throw new Error(`${folder}: no licence file, and its code is in the page`);
  return readFileSync(file, 'utf8');
}
