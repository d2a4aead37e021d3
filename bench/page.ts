/** `npm run page`: builds the page into a folder and serves it on this machine. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Command } from 'commander';
import { ConfigError } from '../src/errors.ts';
import { buildPage } from './browser/build.ts';
import { serveFolder } from './browser/serve.ts';
import { integer, runProgram } from './program.ts';

interface Options {
  readonly port: number;
  readonly serve: boolean;
}

const FOLDER = join(import.meta.dirname, '..', 'dist', 'page');

const program = new Command('page')
  .description(
    'Builds the page, which trains and asks a model in a browser tab, into dist/page, a folder that any file server can host, and serves it on localhost.',
  )
  .option('--port <n>', 'the port; 0 takes a free one', integer(0, 65_535), 8080)
  .option('--no-serve', 'only builds');

await runProgram(program, async ({ port, serve }: Options) => {
  await buildPage(FOLDER);
  console.log('dist/page: built');
  if (!serve) return 0;
  const server = serveFolder(FOLDER);
  try {
    await once(server.listen(port, 'localhost'), 'listening');
  } catch (error) {
    throw new ConfigError(`--port ${port}: ${(error as Error).message}; another, or 0 for a free one, would be right`);
  }
  console.log(`http://localhost:${(server.address() as AddressInfo).port}/ until Ctrl-C`);
  return 0;
});
