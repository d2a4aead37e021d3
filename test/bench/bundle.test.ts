import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleForBrowser, bundleForNode, stripWgsl } from '../../bench/bundle.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function entry(text: string): string {
  const file = join(folder, 'entry.ts');
  writeFileSync(file, text);
  return file;
}

test('WGSL loses its comments and indentation, and keeps its divisions', () => {
  const text = '// y = x / 2\n\n/* of\n  two // lines */\nfn f(x: f32) -> f32 {\n  return x / 2; // half\n}\n';
  expect(stripWgsl(text)).toBe('fn f(x: f32) -> f32 {\nreturn x / 2;\n}\n');
});

test.each(['import * as fs from "node:fs"; console.log(fs);', 'try { await import("node:fs"); } catch {}'])(
  'what needs Node is refused: %s',
  async (text) => {
    await expect(bundleForBrowser(entry(text))).rejects.toThrow('node:fs');
  },
);

test('shaders come inside the bundle, and an unknown name is a clear error', async () => {
  const shaders = fileURLToPath(new URL('../../src/platform/shaders.ts', import.meta.url));
  const bundle = await bundleForBrowser(entry(`export { shaderText } from ${JSON.stringify(shaders)};`));
  const { shaderText } = await import(`data:text/javascript,${encodeURIComponent(bundle)}`);
  expect(() => shaderText('no-such')).toThrow('no shader "no-such": this build has ');
});

test('the package’s program is one file, which Node runs as it is beside the packages that it imports', async () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const inside = mkdtempSync(join(cache, 'neumf-bin-'));
  try {
    const file = join(inside, 'neumf.js');
    await bundleForNode(join(root, 'bench', 'neumf.ts'), file, '#!/usr/bin/env node');
    expect(execFileSync(process.execPath, [file, '--help'], { encoding: 'utf8' })).toMatch(/^Usage: neumf /);
  } finally {
    rmSync(inside, { recursive: true });
  }
});
