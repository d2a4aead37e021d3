/** Runs a TypeScript module in a page of a real browser and brings its result back. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleForBrowser } from '../../bench/bundle.ts';
import { type BrowserName, LAUNCH } from './launch.ts';

/**
 * Bundles `entry`, calls its exported `main(argument)` in a fresh headless browser and returns what it resolves to.
 * Argument and result travel as JSON. What the page throws or logs as an error, inside `main` or not, is thrown here.
 */
export async function runIn<Result>(name: BrowserName, entry: URL, argument: unknown = null): Promise<Result> {
  const file = fileURLToPath(entry);
  const server = serve(await bundleForBrowser(file));
  const browser = await LAUNCH[name]();
  const errors: string[] = [];
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => errors.push(describe(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('error', (crash) => {
      errors.push(crash.message);
      void browser.close(); // a crashed page would never answer
    });
    await once(server.listen(0, 'localhost'), 'listening');
    // localhost counts as a secure context, without which there is no navigator.gpu
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    // a string, because test runners rewrite the import() of a function
    const call = `import('/entry.js').then(({ main }) => main(${JSON.stringify(argument)}))`;
    const result = await page.evaluate(call);
    if (errors.length === 0) return result as Result;
  } catch (error) {
    errors.unshift(describe(error));
  } finally {
    await browser.close();
    server.close();
  }
  throw new Error(`${relative(process.cwd(), file)} in ${name}: ${errors.join('\n')}`);
}

/** An empty page and its module. */
function serve(module: string) {
  return createServer((request, response) => {
    if (request.url === '/entry.js') response.setHeader('content-type', 'text/javascript').end(module);
    else response.setHeader('content-type', 'text/html').end('<!doctype html><link rel="icon" href="data:,">');
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
