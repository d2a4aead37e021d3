/** One suite, two adapters: what runs on a GPU is tested on SwiftShader and, where it is installed, on lavapipe. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Tests that open no adapter, or only in processes of their own, run once. */
const WITHOUT_ADAPTER = [
  'test/{baselines,bench,cli,data,platform,reference}/**/*.test.ts',
  'test/evaluate/{alarms,beyond-accuracy,strata,baselines,candidates,metrics}.test.ts',
  'test/kernels/twins.test.ts',
  'test/models/{cpu-trainer,safetensors}.test.ts',
  'test/train/{alias,power,propensity,runs,schedule}.test.ts',
];
const IN_BROWSER = ['test/browser/**/*.test.ts'];
const ON_ADAPTER = { include: ['test/**/*.test.ts'], exclude: [...WITHOUT_ADAPTER, ...IN_BROWSER] };

/** The environment in which Dawn gets lavapipe, Mesa's Vulkan for the CPU; null where it is missing or too old. */
function lavapipe(): Record<string, string> | null {
  const [driver] = globSync('/usr/share/vulkan/icd.d/lvp_icd*.json');
  if (!driver) return null;
  const env = { VK_DRIVER_FILES: driver, XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? '/tmp' };
  const probe = `const adapter = await (await import('webgpu')).create([]).requestAdapter(); process.exit(adapter ? 0 : 1);`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', probe], {
    cwd: import.meta.dirname,
    env: { ...process.env, ...env },
  });
  return status === 0 ? env : null;
}

function project(name: string, options: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return { test: { name, pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000, ...options } };
}

const driver = lavapipe();
if (!driver) {
  console.log(
    'lavapipe: tests left out, no driver or one too old for WebGPU; Debian package mesa-vulkan-drivers, on Debian 12 from bookworm-backports',
  );
}

export default defineConfig({
  test: {
    projects: [
      project('cpu', { include: WITHOUT_ADAPTER }),
      project('swiftshader', { ...ON_ADAPTER, env: { NEUMF_ADAPTER: 'swiftshader' } }),
      ...(driver ? [project('lavapipe', { ...ON_ADAPTER, env: driver })] : []),
      project('browser', { include: IN_BROWSER, env: { NEUMF_ADAPTER: 'swiftshader' } }),
    ],
  },
});
