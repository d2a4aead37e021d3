import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadedWith } from '../../bench/bundle.ts';
import { launchChromium } from '../browser/chromium.ts';
import { installedProject, type Project, ROOT, runIn } from './installed.ts';

let project: Project;
beforeAll(async () => {
  project = await installedProject();
});
afterAll(() => rmSync(project.folder, { recursive: true }));

const node = (...argv: string[]) => runIn(project, process.execPath, argv);
const write = (name: string, text: string) => writeFileSync(join(project.folder, name), text);
const textOf = (file: string) => readFileSync(join(project.installed, file), 'utf8');

describe('the tarball', () => {
  test('holds the library, its program with what that reads, the types, three texts, and nothing else', () => {
    const known = [
      /^(README\.md|LICENSE|CHANGELOG\.md|package\.json)$/,
      /^dist\/(node|browser|neumf|(node|browser)-(chunk|readers)-\w+)\.js(\.map)?$/,
      /^dist\/(report|map)\.css$/,
      /^dist\/data\/(online-retail\.tsv\.gz|README\.md)$/,
      /^dist\/types\/[\w/-]+\.d\.ts$/,
    ];
    expect(project.files.filter((file) => !known.some((pattern) => pattern.test(file)))).toEqual([]);
    expect(project.files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md']));
  });

  test('has source maps with the TypeScript that the modules are made of', () => {
    const modules = project.files.filter((file) => file.endsWith('.js'));
    expect(modules).toEqual(expect.arrayContaining(['dist/browser.js', 'dist/neumf.js', 'dist/node.js']));
    for (const module of modules) {
      expect(textOf(module), module).toMatch(/\n\/\/# sourceMappingURL=\S+\.js\.map\n$/);
      const { sources, sourcesContent } = JSON.parse(textOf(`${module}.map`));
      expect(sourcesContent, module).toHaveLength(sources.length);
    }
  });

  test('has the program neumf, which trains on a file and writes its report', async () => {
    write('interactions.csv', interactions());
    const argv = '--data interactions.csv --preset paper-8 --epochs 1 --batch-size 1024 --out run --json';
    await runIn(project, join('node_modules', '.bin', 'neumf'), ['train', ...argv.split(' ')]);
    expect(existsSync(join(project.folder, 'run', 'report.html'))).toBe(true);
  });
});

describe('an import', () => {
  test.each([
    ['Node', 'neumf-webgpu'],
    ['browsers', './node_modules/neumf-webgpu/dist/browser.js'],
  ])('of what is for %s has no effects', async (_, specifier) => {
    write(
      'import.js',
      `const before = Reflect.ownKeys(globalThis);
      const { Gpu } = await import('${specifier}');
      const added = Reflect.ownKeys(globalThis).filter((key) => !before.includes(key));
      const addons = process.report.getReport().sharedObjects.filter((file) => file.endsWith('.node'));
      const timers = process.getActiveResourcesInfo().filter((kind) => /Timeout|Immediate/.test(kind));
      console.log(JSON.stringify({ open: typeof Gpu.open, added, addons, timers }));`,
    );
    expect(JSON.parse(await node('import.js'))).toEqual({ open: 'function', added: [], addons: [], timers: [] });
  });

  test.each([
    ['esnext', 'bundler'],
    ['nodenext', 'nodenext'],
  ])('has types for TypeScript with module %s and moduleResolution %s', async (module, resolution) => {
    write(
      'program.ts',
      `import { blobSource, Gpu, loadDataset, Trainer, type TrainSettings } from 'neumf-webgpu';
      const settings: Partial<TrainSettings> = { epochs: 1 };
      const { split } = await loadDataset(blobSource(new Blob([]), 'empty.csv'));
      const trainer = await Trainer.create(await Gpu.open(), split, settings);
      for await (const { loss } of trainer) loss.toFixed(4);
      // @ts-expect-error a number
      await Trainer.create(trainer.gpu, split, { epochs: 'one' });`,
    );
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const how = `--module ${module} --moduleResolution ${resolution} --target esnext --lib esnext,dom,dom.asynciterable`;
    const complaints = node(tsc, '--noEmit', '--strict', ...how.split(' '), 'program.ts').catch(({ stdout }) => stdout);
    expect(await complaints).toBe('');
  });
});

describe('a browser’s bundle', () => {
  /**
   * Bundles a program that uses these exports: the text of what is loaded with it, and the sizes, with gzip, of that and of
   * what it may ask for later. esbuild refuses what a browser lacks: any import of a module of Node.
   */
  async function using(names: string): Promise<{ text: string; start: number; later: number }> {
    write(
      'uses.js',
      names ? `import { ${names} } from 'neumf-webgpu'; console.log(${names});` : "import 'neumf-webgpu';",
    );
    const outdir = join(project.folder, 'bundled');
    rmSync(outdir, { recursive: true, force: true });
    const paths = { absWorkingDir: project.folder, entryPoints: ['uses.js'], outdir };
    const how = {
      bundle: true,
      format: 'esm',
      splitting: true,
      minify: true,
      metafile: true,
      logLevel: 'silent',
    } as const;
    const { outputs } = (await build({ ...how, ...paths, target: 'esnext' })).metafile;
    const start = loadedWith('bundled/uses.js', outputs);
    const later = Object.keys(outputs).filter((file) => !start.includes(file));
    const read = (file: string) => readFileSync(join(project.folder, file), 'utf8');
    const size = (files: string[]) => files.reduce((sum, file) => sum + gzipSync(read(file)).length, 0);
    return { text: start.map(read).join(''), start: size(start), later: size(later) };
  }

  test('of a program that imports the package and uses nothing is empty', async () => {
    expect((await using('')).text.trim()).toBe('');
  });

  test('of the engine, which trains, evaluates and recommends, is under 60 kB; readers come when a file is read', async () => {
    const { text, start, later } = await using('blobSource, encodeCheckpoint, Gpu, loadDataset, Recommender, Trainer');
    console.log(`the engine in a browser: ${start} bytes with gzip; what reads files: ${later}`);
    expect(start).toBeLessThan(60_000);
    expect(later).toBeGreaterThan(0);
    expect(text).not.toContain('Papa');
    expect(text).not.toContain('subgroupBroadcast'); // of shaders for CPU adapters, which browsers do not come with
  });

  test('has the shaders of the ops that are used, and no others', async () => {
    const { text, start } = await using('Gpu, hadamard, tensor');
    expect(text).toContain('"hadamard_backward"');
    expect(text).not.toContain('"top_k"');
    expect(start).toBeLessThan(20_000);
  });
});

describe('each example trains on a file and recommends the same', () => {
  let server: ReturnType<typeof serve>;
  let browser: Browser;
  beforeAll(async () => {
    cpSync(join(ROOT, 'bench', 'examples'), project.folder, { recursive: true });
    write('interactions.csv', interactions());
    server = serve(project.folder);
    await once(server.listen(0, 'localhost'), 'listening');
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    server.close();
  });

  /** What the page at `path` has printed once the file was chosen and its user recommended something. */
  async function asked(path: string): Promise<string> {
    const page = await browser.newPage();
    const error = new Promise<never>((_, reject) => page.on('pageerror', reject));
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/${path}`);
    await page.type('#user', 'u0');
    const file = await page.waitForSelector('input[type=file]');
    await (file as import('puppeteer-core').ElementHandle<HTMLInputElement>).uploadFile(
      join(project.folder, 'interactions.csv'),
    );
    await Promise.race([error, page.waitForFunction("/^i\\d/m.test(document.querySelector('pre').textContent)")]);
    return page.$eval('pre', ({ textContent }) => textContent!);
  }

  const best = (output: string) => /^i\d+( i\d+){4}$/m.exec(output)?.[0];

  test('a script of Node, a page without a bundler, a Vite app', async () => {
    const script = await node('script.js', 'interactions.csv', 'u0');
    expect(script).toMatch(/^epoch 4, loss 0\.\d{4}$/m);
    expect(best(script)).toBeDefined();
    expect(best(await asked('page.html'))).toBe(best(script));
    await node(join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', 'vite', '--base', './');
    expect(best(await asked('vite/dist/index.html'))).toBe(best(script));
  });
});

/** 40 users in two groups, each with 8 items of its group's 20. */
function interactions(): string {
  const rows = ['user,item,timestamp'];
  for (let user = 0; user < 40; user++) {
    for (let n = 0; n < 8; n++) rows.push(`u${user},i${20 * (user % 2) + ((7 * user + 3 * n) % 20)},${n}`);
  }
  return rows.join('\n');
}

/** A folder's files, as any file server has them. */
function serve(folder: string) {
  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };
  return createServer(({ url }, response) => {
    const file = join(folder, new URL(url!, 'http://localhost').pathname);
    if (!existsSync(file)) response.writeHead(404).end();
    else response.setHeader('content-type', types[extname(file)] ?? 'text/plain').end(readFileSync(file));
  });
}
