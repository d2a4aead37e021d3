/** A project of somebody who has installed the package: what `npm pack` makes of it, unpacked, beside its dependencies. */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface Project {
  readonly folder: string;
  /** The package's own folder. */
  readonly installed: string;
  /** What the tarball lists. */
  readonly files: readonly string[];
}

/** Builds and packs what is here, `dist` anew, and does with the tarball what npm does; dependencies come from here. */
export async function installedProject(): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  await promisify(execFile)('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
  const tarball = globSync(join(folder, '*.tgz'))[0]!;
  const listed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const packages = join(folder, 'node_modules');
  const installed = join(packages, 'neumf-webgpu');
  mkdirSync(join(packages, '.bin'), { recursive: true });
  mkdirSync(installed);
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
  const { dependencies, peerDependencies, bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    mkdirSync(dirname(join(packages, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(packages, name));
  }
  for (const [name, file] of Object.entries<string>(bin)) {
    chmodSync(join(installed, file), 0o755);
    symlinkSync(join(installed, file), join(packages, '.bin', name));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return { folder, installed, files: listed.map((file) => file.replace(/^package\//, '')) };
}

/** What a program prints, run in the project's folder on SwiftShader. */
export async function runIn({ folder }: Project, program: string, argv: readonly string[]): Promise<string> {
  const env = { ...process.env, NEUMF_ADAPTER: 'swiftshader' };
  return (await promisify(execFile)(program, argv, { cwd: folder, env })).stdout;
}
