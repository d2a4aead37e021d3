/** `npm run build`: dist/node.js, dist/browser.js, the declarations in dist/types, and dist/neumf.js with what it reads. */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundleForBrowser, bundleForNode } from './bundle.ts';

process.chdir(join(import.meta.dirname, '..'));
rmSync('dist', { recursive: true, force: true });

await bundleForNode('src/index.ts', 'dist/node.js');
console.log(`dist/node.js     ${kilobytes(readFileSync('dist/node.js').length)}`);
const browser = await bundleForBrowser('src/index.ts', 'dist/browser.js');
console.log(
  `dist/browser.js  ${kilobytes(Buffer.byteLength(browser))}, ${kilobytes(gzipSync(browser).length)} with gzip`,
);
await bundleForNode('bench/neumf.ts', 'dist/neumf.js', '#!/usr/bin/env node');
for (const file of ['report.css', 'map.css']) cpSync(`bench/report/${file}`, `dist/${file}`);
cpSync('bench/data', 'dist/data', { recursive: true });
console.log(`dist/neumf.js    ${kilobytes(readFileSync('dist/neumf.js').length)}`);
console.log(`dist/types       ${declare('src/index.ts', 'dist/types')} declaration files`);

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
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
