import type { Browser } from 'puppeteer-core';
import { launchChromium } from './chromium.ts';
import { launchFirefox } from './firefox.ts';

export type BrowserName = 'chromium' | 'firefox';

/** Starts a browser with WebGPU on a CPU adapter. */
export const LAUNCH: Readonly<Record<BrowserName, () => Promise<Browser>>> = {
  chromium: launchChromium,
  firefox: launchFirefox,
};

declare module 'vitest' {
  interface ProvidedContext {
    /** Those that this machine has. */
    browsers: BrowserName[];
  }
}
