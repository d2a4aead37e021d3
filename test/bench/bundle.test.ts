import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleForBrowser, bundleInParts } from '../../bench/bundle.ts';
import { stripWgsl, withShaders } from '../../bench/wgsl.ts';

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

const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

test('WGSL loses its comments and white space, but for what keeps words and operators apart', () => {
  const text = `// y = x / 2\n\n/* of\n  two // lines */\nfn f(x: f32) -> f32 {
    let a: array<f32, 2> = array(x, - -x);
    return a[0] / *p + 1.0; // half\n}\n`;
  expect(stripWgsl(text)).toBe('fn f(x:f32)->f32{let a:array<f32,2> =array(x,- -x);return a[0]/ *p+1.0;}');
});

test('every shader keeps its tokens', () => {
  // A run of operators without a space between counts as one.
  const tokens = (wgsl: string) => wgsl.match(/[\w.]+|[-+*/%&|^!=<>]+|[^\s\w]/g);
  for (const file of globSync('shaders/*.wgsl')) {
    const text = readFileSync(file, 'utf8');
    expect(tokens(stripWgsl(text)), file).toEqual(tokens(text.replace(/\/\/.*/g, '')));
  }
});

test('a kernel whose name the bundle cannot read is refused', () => {
  const text = "const kernel = defineKernel({ params: {}, name: 'add', bindings: {} });";
  expect(() => withShaders('add.ts', text)).toThrow("add.ts: a kernel's definition begins with its name");
});

test.each(['import * as fs from "node:fs"; console.log(fs);', 'try { await import("node:fs"); } catch {}'])(
  'what needs Node is refused: %s',
  async (text) => {
    await expect(bundleForBrowser(entry(text))).rejects.toThrow('node:fs');
    await expect(bundleInParts({ entry: entry(text) }, join(folder, 'parts'))).rejects.toThrow('node:fs');
  },
);

test('a bundle holds the shaders of its kernels; for another kernel without WGSL there is a clear error', async () => {
  const [kernels, shaders] = ['kernels/elementwise.ts', 'platform/shaders.ts'].map(source);
  const from = `export { relu } from '${kernels}'; export { shaderText } from '${shaders}';`;
  const bundle = await bundleForBrowser(entry(from));
  expect(bundle).toContain('fn main(');
  expect(bundle).not.toContain('top_k');
  const { shaderText } = await import(`data:text/javascript,${encodeURIComponent(bundle)}`);
  expect(() => shaderText('mine')).toThrow('no shader "mine": a kernel of your own has its WGSL in code');
});
