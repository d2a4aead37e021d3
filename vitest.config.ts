/**
 * One suite, two adapters: what runs on a GPU is tested on SwiftShader and, where it is installed, on lavapipe. The engine's
 * part of it runs in browsers too: in Chromium on SwiftShader and, where it is installed, in Firefox on lavapipe.
 */
import { join } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { firefoxPath } from './test/browser/firefox.ts';
import type { BrowserName } from './test/browser/launch.ts';
import { browserMode } from './test/browser/mode.ts';
import { hasAdapter, lavapipe } from './test/lavapipe.ts';

/** Tests that open no adapter, or only in processes of their own, run once. */
const WITHOUT_ADAPTER = [
  'test/{baselines,bench,cli,data,platform,reference}/**/*.test.ts',
  'test/evaluate/{alarms,beyond-accuracy,strata,baselines,candidates,metrics}.test.ts',
  'test/kernels/twins.test.ts',
  'test/models/{cpu-trainer,safetensors}.test.ts',
  'test/train/{alias,power,propensity,runs,schedule}.test.ts',
];
const WITH_BROWSER = ['test/browser/**/*.test.ts'];
const ON_ADAPTER = { include: ['test/**/*.test.ts'], exclude: [...WITHOUT_ADAPTER, ...WITH_BROWSER] };
/** What runs inside a page: kernels, autograd, and whole training steps against PyTorch's. */
const IN_BROWSER = {
  include: ['test/{kernels,autograd}/**/*.test.ts', 'test/models/replay.test.ts'],
  exclude: WITHOUT_ADAPTER,
};

function project(name: string, options: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return { test: { name, pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000, ...options } };
}

const found = lavapipe();
const driver = found && hasAdapter(found) ? found : null;
const browsers: BrowserName[] = driver && firefoxPath() ? ['chromium', 'firefox'] : ['chromium'];
if (!driver) {
  console.log(
    'lavapipe: tests left out, no driver or one too old for WebGPU; Debian package mesa-vulkan-drivers, on Debian 12 from bookworm-backports',
  );
}
if (!browsers.includes('firefox')) {
  console.log(`firefox: tests left out, ${driver ? 'it is not installed; Debian package firefox-esr' : 'no lavapipe'}`);
}

export default defineConfig({
  test: {
    projects: [
      project('cpu', { include: WITHOUT_ADAPTER }),
      project('swiftshader', { ...ON_ADAPTER, env: { NEUMF_ADAPTER: 'swiftshader' } }),
      ...(driver ? [project('lavapipe', { ...ON_ADAPTER, env: driver })] : []),
      project('browser', { include: WITH_BROWSER, env: { NEUMF_ADAPTER: 'swiftshader' }, provide: { browsers } }),
      {
        resolve: { alias: { './shaders.ts': join(import.meta.dirname, 'test/browser/shaders.ts') } },
        ...project('page', { ...IN_BROWSER, browser: browserMode(browsers), isolate: false }),
      },
    ],
  },
});
