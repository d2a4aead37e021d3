/** Linux without a Vulkan driver: SwiftShader, a Vulkan for the CPU, out of the npm package `@sparticuz/chromium`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

const LOADER = 'libvulkan.so.1';
const RTLD_NOW = 2;
const RTLD_NODELETE = 0x1000;

/**
 * Makes SwiftShader and its Vulkan loader available to this process, before or after Dawn has been loaded.
 * Returns what is missing, or an empty string.
 */
export function softwareVulkan(): string {
  if (process.arch !== 'x64') return `no Vulkan driver, and SwiftShader comes for x64 only (this is ${process.arch})`;
  const folder = unpack();
  if (!folder) {
    return 'no Vulkan driver: npm install @sparticuz/chromium brings a software one, apt-get install mesa-vulkan-drivers a faster one';
  }
  process.env.VK_ICD_FILENAMES = join(folder, 'vk_swiftshader_icd.json');
  delete process.env.VK_DRIVER_FILES;
  const problem = loadLibrary(join(folder, LOADER));
  return problem && `cannot load SwiftShader: ${problem}`;
}

/** Whether this machine has a Vulkan loader. Dawn can ask too, but prints a warning where there is none. */
export function hasVulkanLoader(): boolean {
  return loadLibrary(LOADER) === '';
}

/** Loads a library that is no Node module: that throws, but the library stays loaded and Dawn's own dlopen finds it. */
function loadLibrary(path: string): string {
  try {
    process.dlopen({ exports: {} }, path, RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    if (!String(error).includes('did not self-register')) return String(error);
  }
  return '';
}

/** Unpacks the archive once into node_modules/.cache; null when the package is not installed. */
function unpack(): string | null {
  let packageRoot: string;
  try {
    packageRoot = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..');
  } catch {
    return null;
  }
  const archive = join(packageRoot, 'bin', 'swiftshader.tar.br');
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const cache = join(packageRoot, '..', '..', '.cache', 'neumf-webgpu');
  const folder = join(cache, `swiftshader-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const partial = mkdtempSync(join(cache, 'unpack-'));
  const tar = spawnSync('tar', ['-x', '-C', partial], { input: brotliDecompressSync(readFileSync(archive)) });
  if (tar.status !== 0) throw new Error(`cannot unpack ${archive}: ${tar.error?.message ?? tar.stderr}`);
  try {
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true });
    if (!existsSync(folder)) throw error; // otherwise another process was faster
  }
  return folder;
}
