/** Vitest's browser mode: test files themselves run in a page. Its own providers bring a framework and fetch browsers. */
import { defineBrowserProvider } from '@vitest/browser';
import type { Browser } from 'puppeteer-core';
import type { BrowserConfigOptions, BrowserProvider, BrowserProviderOption } from 'vitest/node';
import { type BrowserName, LAUNCH } from './launch.ts';

/** Runs a project's files in each of `browsers`, all of them in one page. */
export function browserMode(browsers: readonly BrowserName[]): BrowserConfigOptions {
  return {
    enabled: true,
    headless: true,
    ui: false,
    screenshotFailures: false,
    provider: puppeteer(),
    instances: browsers.map((browser) => ({ browser, name: browser })),
    commands: { __vitest_viewport: () => {} }, // asked of every provider, and of no use without a layout
  };
}

function puppeteer(): BrowserProviderOption {
  return defineBrowserProvider({
    name: 'puppeteer',
    supportedBrowser: Object.keys(LAUNCH),
    providerFactory: ({ config }) => provider(LAUNCH[config.browser.name as BrowserName]),
  });
}

function provider(launch: () => Promise<Browser>): BrowserProvider {
  let browser: Promise<Browser> | null = null;
  return {
    name: 'puppeteer',
    supportsParallelism: false, // a page at a time: the adapter takes all cores
    getCommandsContext: () => ({}),
    async openPage(_, url) {
      browser ??= launch();
      const page = await (await browser).newPage();
      await page.goto(url);
    },
    async close() {
      const opened = browser;
      browser = null;
      await (await opened)?.close();
    },
  };
}
