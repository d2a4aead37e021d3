/** `npm run build`: dist/node.js, dist/browser.js, the declarations in dist/types, and dist/neumf.js with what it reads. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundleForNode, bundleInParts, loadedWith } from './bundle.ts';

process.chdir(join(import.meta.dirname, '..'));
rmSync('dist', { recursive: true, force: true });

const { outputs: node } = await bundleForNode({ node: 'src/index.ts', neumf: 'bench/neumf.ts' }, 'dist');
chmodSync('dist/neumf.js', 0o755);
for (const file of ['report.css', 'map.css']) cpSync(`bench/report/${file}`, `dist/${file}`);
cpSync('bench/data', 'dist/data', { recursive: true });
const { outputs: browser } = await bundleInParts({ browser: 'src/index.ts' }, 'dist');
const engine = loadedWith('dist/browser.js', browser);
const readers = Object.keys(browser).filter((file) => file.endsWith('.js') && !engine.includes(file));

console.log(`dist/node.js      ${size(loadedWith('dist/node.js', node))}`);
console.log(`dist/neumf.js     ${size(loadedWith('dist/neumf.js', node))}, the library included`);
console.log(`dist/browser.js   ${size(engine)}, and when a file is read ${size(readers)}`);
console.log(`dist/types        ${declare('src/index.ts', 'dist/types')} declaration files`);

function size(files: readonly string[]): string {
  const kilobytes = (bytes: number[]) => `${(bytes.reduce((sum, n) => sum + n, 0) / 1000).toFixed(1)} kB`;
  const texts = files.map((file) => readFileSync(file));
  return `${kilobytes(texts.map(({ length }) => length))}, ${kilobytes(texts.map((text) => gzipSync(text).length))} with gzip`;
}

/** Writes the declarations of all that `entry` reaches, with tsconfig.json's options, and returns how many there are. */
function declare(entry: string, folder: string): number {
  const { noEmit: _, ...options } = JSON.parse(readFileSync('tsconfig.json', 'utf8')).compilerOptions;
  const flags = Object.entries({
    ...options,
    declaration: true,
    emitDeclarationOnly: true,
    outDir: folder,
    rootDir: 'src',
  });
  const tsc = [join('node_modules', 'typescript', 'bin', 'tsc'), '--ignoreConfig', entry];
  execFileSync(process.execPath, [...tsc, ...flags.flatMap(([flag, value]) => [`--${flag}`, String(value)])], {
    stdio: 'inherit',
  });
  const files = globSync(`${folder}/**/*.d.ts`);
  for (const file of files) {
    // '#platform' and '#files' mean nothing outside this package; Node's declarations serve both platforms.
    const text = readFileSync(file, 'utf8').replaceAll(/(['"])#(platform|files)\1/g, (_, quote, name) => {
      const target = relative(dirname(file), join(folder, 'platform', name === 'files' ? 'node-files.ts' : 'node.ts'));
      return `${quote}${target.startsWith('.') ? target : `./${target}`}${quote}`;
    });
    writeFileSync(file, text);
  }
  return files.length;
}
