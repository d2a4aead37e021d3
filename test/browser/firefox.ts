/** A headless Firefox with WebGPU (wgpu, and naga, another WGSL compiler than Chromium's and Node's) on lavapipe. */
import { existsSync } from 'node:fs';
import puppeteer, { type Browser } from 'puppeteer-core';
import { lavapipe } from '../lavapipe.ts';

/** WebGPU on Linux is behind a switch, and CPU adapters are on a list of those it is kept from. */
const WEBGPU = { 'dom.webgpu.enabled': true, 'gfx.webgpu.ignore-blocklist': true };

/** Debian's Firefox, or the executable that the environment variable FIREFOX_PATH names; null where there is none. */
export function firefoxPath(): string | null {
  const path = process.env.FIREFOX_PATH ?? '/usr/bin/firefox-esr';
  return existsSync(path) ? path : null;
}

export async function launchFirefox(): Promise<Browser> {
  const executablePath = firefoxPath();
  if (!executablePath) throw new Error('no Firefox: install firefox-esr, or set FIREFOX_PATH to an executable');
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    extraPrefsFirefox: WEBGPU,
    env: { ...process.env, ...lavapipe() },
  });
}
