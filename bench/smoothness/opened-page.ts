import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { launchChromium } from '../../test/browser/chromium.ts';
import { buildPage } from '../browser/build.ts';
import { serveFolder } from '../browser/serve.ts';

/** Builds the page, opens it in a headless Chromium, and closes all when `body` is done. What the page throws is thrown. */
export async function withPage<T>(body: (page: Page) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'smoothness-'));
  await buildPage(folder);
  const server = serveFolder(folder);
  await once(server.listen(0, 'localhost'), 'listening');
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    const failed = new Promise<never>((_, reject) => page.on('pageerror', reject));
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    return await Promise.race([body(page), failed]);
  } finally {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

/** Takes the bundled set, and settings with which training on it lasts longer than anybody waits. */
export async function prepareTraining(page: Page): Promise<void> {
  await page.click('#bundled');
  await page.waitForFunction(() => document.querySelector('#status')?.textContent?.startsWith('The data is read'));
  await page.$eval('#epochs', (field) => {
    (field as HTMLInputElement).value = '100000';
  });
}
