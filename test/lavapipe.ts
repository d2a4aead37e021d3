/** lavapipe, Mesa's Vulkan for the CPU, where it is installed. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

/** The environment in which Vulkan is lavapipe; null where its driver is missing. */
export function lavapipe(): Record<string, string> | null {
  const [driver] = globSync('/usr/share/vulkan/icd.d/lvp_icd*.json');
  return driver ? { VK_DRIVER_FILES: driver, XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? '/tmp' } : null;
}

/** Whether Dawn has an adapter there: that of an old Mesa is refused. */
export function hasAdapter(env: Record<string, string>): boolean {
  const probe = `const adapter = await (await import('webgpu')).create([]).requestAdapter(); process.exit(adapter ? 0 : 1);`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', probe], {
    cwd: import.meta.dirname,
    env: { ...process.env, ...env },
  });
  return status === 0;
}
